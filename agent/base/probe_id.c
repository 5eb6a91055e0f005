#include "base/probe_id.h"

#include <ctype.h>
#include <string.h>

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void base32_encode(const uint8_t *bytes, size_t count, char *out)
{
    uint32_t buffer = 0;
    int bits = 0;
    for (size_t i = 0; i < count; i++) {
        buffer = (buffer << 8) | bytes[i];
        for (bits += 8; bits >= 5; bits -= 5) {
            *out++ = ALPHABET[(buffer >> (bits - 5)) & 31];
        }
    }
    if (bits > 0) {
        *out++ = ALPHABET[(buffer << (5 - bits)) & 31];
    }
    *out = '\0';
}

static int base32_digit(char c)
{
    const char *found = c == '\0' ? NULL : strchr(ALPHABET, toupper((unsigned char)c));
    return found == NULL ? -1 : (int)(found - ALPHABET);
}

bool base32_decode(const char *text, size_t length, uint8_t *bytes, size_t count)
{
    if (length != (count * 8 + 4) / 5) {
        return false;
    }
    uint32_t buffer = 0;
    int bits = 0;
    for (size_t i = 0; i < length; i++) {
        int digit = base32_digit(text[i]);
        if (digit < 0) {
            return false;
        }
        buffer = (buffer << 5) | (uint32_t)digit;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *bytes++ = (uint8_t)(buffer >> bits);
        }
    }
    return (buffer & ((1u << bits) - 1)) == 0;
}

const char *probe_id_format(const struct probe_id *id, char text[PROBE_ID_TEXT])
{
    base32_encode(id->bytes, sizeof id->bytes, text);
    return text;
}

bool probe_id_parse(const char *text, struct probe_id *out)
{
    return base32_decode(text, strlen(text), out->bytes, sizeof out->bytes);
}

bool probe_id_parse_prefix(const char *prefix, struct probe_id *least, struct probe_id *greatest)
{
    char filled[PROBE_ID_TEXT] = "AAAAAAAAAAAAAAAAAAAAAAAAAA";
    size_t length = strlen(prefix);
    if (length == 0 || length >= PROBE_ID_TEXT) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        filled[i] = prefix[i];
    }
    if (!probe_id_parse(filled, least)) {
        return false;
    }
    *greatest = *least;
    for (size_t bit = length * 5; bit < sizeof greatest->bytes * 8; bit++) {
        greatest->bytes[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
    }
    return true;
}

bool probe_id_equal(const struct probe_id *a, const struct probe_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
