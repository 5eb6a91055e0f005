#include "base/field.h"

#include <string.h>

// Copies the value of one field when it is the one wanted; false when it is none, or too long.
static bool field_take(const char *field, size_t length, const char *name, char value[FIELD_SIZE])
{
    size_t name_length = strlen(name);
    size_t size = length - name_length - 1;
    if (size >= FIELD_SIZE) {
        return false;
    }
    memcpy(value, field + name_length + 1, size);
    value[size] = '\0';
    return true;
}

static bool is_named(const char *field, size_t length, const char *name)
{
    size_t name_length = strlen(name);
    return length > name_length && memcmp(field, name, name_length) == 0 &&
           field[name_length] == '=';
}

bool field_find(const char *list, const char *name, char value[FIELD_SIZE])
{
    bool found = false;
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, "; \t\r\n");
        size_t length = strcspn(at, ";");
        if (is_named(at, length, name)) {
            if (found || !field_take(at, length, name, value)) {
                return false;
            }
            found = true;
        }
        at += length;
    }
    return found;
}
