// The identity of one probe: 128 random bits, written as 26 base32 characters (RFC 4648, unpadded).
#ifndef MAILFLOW_BASE_PROBE_ID_H
#define MAILFLOW_BASE_PROBE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_ID_TEXT 27

struct probe_id {
    uint8_t bytes[16];
};

// Writes the text and returns it, so that it can stand in an argument list.
const char *probe_id_format(const struct probe_id *id, char text[PROBE_ID_TEXT]);

// Exactly 26 characters of the alphabet, either case, unused bits zero; false otherwise.
bool probe_id_parse(const char *text, struct probe_id *out);

// The least and the greatest id whose text begins so; false unless the prefix has 1 to 26
// characters of the alphabet.
bool probe_id_parse_prefix(const char *prefix, struct probe_id *least, struct probe_id *greatest);

bool probe_id_equal(const struct probe_id *a, const struct probe_id *b);

// RFC 4648 base32 without padding; `out` needs 8 characters for every 5 bytes begun, and a NUL.
void base32_encode(const uint8_t *bytes, size_t count, char *out);

// Decodes exactly `count` bytes from exactly as many characters as they take; false otherwise.
bool base32_decode(const char *text, size_t length, uint8_t *bytes, size_t count);

#endif
