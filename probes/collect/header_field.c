#include "probes/collect/header_field.h"

#include <string.h>

// Takes the lines by which a value goes on.
static void take_continuation(struct bytes *section, struct header_field *field)
{
    struct bytes line;
    while (section->at < section->end && (*section->at == ' ' || *section->at == '\t') &&
           bytes_take_line(section, &line)) {
        field->value.end = line.end;
    }
}

bool header_field_take(struct bytes *section, struct header_field *field)
{
    struct bytes line;
    while (bytes_take_line(section, &line) && line.at < line.end) {
        const char *colon = memchr(line.at, ':', bytes_length(line));
        if (colon == NULL) {
            continue;
        }
        field->name = bytes_trim((struct bytes){line.at, colon});
        field->value = (struct bytes){colon + 1, line.end};
        take_continuation(section, field);
        if (field->name.at < field->name.end) {
            return true;
        }
    }
    return false;
}

bool header_field_is(const struct header_field *field, const char *name)
{
    return bytes_equal(field->name, name);
}
