// Typed reading of one JSON object's members, with the member's name in every error. Thin over
// jansson: what is absent, of the wrong type or out of range is an error, never a default.
#ifndef MAILFLOW_BASE_JSON_READ_H
#define MAILFLOW_BASE_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

// Longest line that one of our programs says to another (4-byte nesting bombs cost 80x in jansson).
enum { JSON_LINE_MAXIMUM = 8192 };

// Parses one line into an object; NULL with the reason. The caller owns it (json_decref).
json_t *json_read_line(const char *line, size_t length, struct error *error);

// The same for a text of at most `maximum` bytes, which must come from somebody we trust.
json_t *json_read_bytes(const char *bytes, size_t length, size_t maximum, struct error *error);

bool json_read_text(const json_t *object, const char *name, char *out, size_t size,
                    struct error *error);
bool json_read_integer(const json_t *object, const char *name, int64_t minimum, int64_t maximum,
                       int64_t *out, struct error *error);
bool json_read_boolean(const json_t *object, const char *name, bool *out, struct error *error);
bool json_read_object(const json_t *object, const char *name, const json_t **out,
                      struct error *error);

#endif
