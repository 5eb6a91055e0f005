#include "base/json_read.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"

json_t *json_read_line(const char *line, size_t length, struct error *error)
{
    return json_read_bytes(line, length, JSON_LINE_MAXIMUM, error);
}

json_t *json_read_bytes(const char *bytes, size_t length, size_t maximum, struct error *error)
{
    if (length > maximum) {
        error_set(error, "line of %zu bytes is longer than %zu", length, maximum);
        return NULL;
    }
    json_error_t where;
    errno = 0;
    json_t *object = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &where);
    if (object == NULL) {
        // Where memory ended jansson blames the text, for most of what it could not keep.
        memory_checked(errno == ENOMEM ? NULL : &where);
        error_set(error, "not JSON at byte %d: %s", where.position, where.text);
        return NULL;
    }
    if (!json_is_object(object)) {
        json_decref(object);
        error_set(error, "not a JSON object");
        return NULL;
    }
    return object;
}

// The member when it is of the type wanted, else NULL with the reason.
static json_t *json_read_member(const json_t *object, const char *name, json_type type,
                                const char *type_name, struct error *error)
{
    json_t *member = json_object_get(object, name);
    if (member == NULL) {
        error_set(error, "\"%s\" is missing", name);
        return NULL;
    }
    if (json_typeof(member) != type) {
        error_set(error, "\"%s\" is not %s", name, type_name);
        return NULL;
    }
    return member;
}

bool json_read_text(const json_t *object, const char *name, char *out, size_t size,
                    struct error *error)
{
    json_t *member = json_read_member(object, name, JSON_STRING, "a string", error);
    if (member == NULL) {
        return false;
    }
    if (json_string_length(member) != strlen(json_string_value(member))) {
        return error_set(error, "\"%s\" has a NUL byte in it", name);
    }
    if (!text_copy(out, size, json_string_value(member))) {
        return error_set(error, "\"%s\" is longer than %zu bytes", name, size - 1);
    }
    return true;
}

bool json_read_integer(const json_t *object, const char *name, int64_t minimum, int64_t maximum,
                       int64_t *out, struct error *error)
{
    json_t *member = json_read_member(object, name, JSON_INTEGER, "a whole number", error);
    if (member == NULL) {
        return false;
    }
    int64_t value = json_integer_value(member);
    if (value < minimum || value > maximum) {
        return error_set(error, "\"%s\" is %" PRId64 ", not within %" PRId64 " and %" PRId64, name,
                         value, minimum, maximum);
    }
    *out = value;
    return true;
}

bool json_read_boolean(const json_t *object, const char *name, bool *out, struct error *error)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_boolean(member)) {
        return error_set(error, "\"%s\" is %s", name,
                         member == NULL ? "missing" : "not true or false");
    }
    *out = json_is_true(member);
    return true;
}

bool json_read_object(const json_t *object, const char *name, const json_t **out,
                      struct error *error)
{
    *out = json_read_member(object, name, JSON_OBJECT, "an object", error);
    return *out != NULL;
}
