// Bounded text over memory that the caller owns: appends never overflow, a cut is remembered, and
// neither a UTF-8 character nor an escape is cut in two. Always NUL-terminated. Bytes from outside
// go through the escaping appends before anyone sees them.
#ifndef MAILFLOW_BASE_TEXT_H
#define MAILFLOW_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *data;
    size_t size;
    size_t length;
    bool truncated;
};

// A text over an array, empty.
#define TEXT_OVER(array) text_over((array), sizeof(array))

struct text text_over(char *data, size_t size);
void text_append(struct text *text, const char *more);
void text_append_bytes(struct text *text, const char *bytes, size_t count);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The bytes with control bytes, backslash and quote written as \n \t \\ \" \xNN, so that one line
// stays one line and reads in its order: so are the bytes of characters that are not seen but turn,
// break, hide or join what is (U+202E, U+2028, U+200B ...), and those that are no UTF-8. The rest
// of UTF-8 passes.
void text_append_escaped(struct text *text, const char *from);

// A syslog value: as it is when plain, else in quotes and escaped.
void text_append_value(struct text *text, const char *from);

// Percent-encodes all but the unreserved characters (RFC 3986 section 2.3).
void text_append_encoded(struct text *text, const char *from);

// Copies into a bounded array; false when it did not fit (then cut at a UTF-8 boundary).
bool text_copy(char *to, size_t size, const char *from);

// Likewise into memory of that size which `kept` then owns; NULL for "", as most texts are.
void text_keep(char **kept, size_t size, const char *from);
const char *text_kept(const char *kept); // "" for NULL

// Letters, digits, - and _, at least one, and it fits with its NUL: may stand in headers, log lines
// and addresses as it is.
bool text_is_name(const char *text, size_t size);

// The length of the well-formed UTF-8 character at the front (shortest form, neither a surrogate
// nor a C1 control), or 0. Stops at a NUL.
size_t text_character_length(const char *text);

bool text_equal_ignoring_case(const char *a, const char *b);

#endif
