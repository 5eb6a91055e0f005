#include "probes/collect/transfer_encoding.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

// -1 for what is no digit of it.
static int base64_digit(char c)
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(DIGITS, c);
    return found == NULL ? -1 : (int)(found - DIGITS);
}

static size_t decode_base64(char *bytes, size_t length)
{
    size_t written = 0;
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < length && bytes[i] != '='; i++) {
        int digit = base64_digit(bytes[i]);
        if (digit < 0) {
            continue;
        }
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes[written++] = (char)(bits >> count & 0xFF);
        }
    }
    return written;
}

static int hexadecimal_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0'
           : c >= 'A' && c <= 'F'    ? c - 'A' + 10
           : c >= 'a' && c <= 'f'    ? c - 'a' + 10
                                     : -1;
}

// The number of bytes of a line break at the front, blanks before it included; 0 for none.
static size_t soft_break(const char *at, const char *end)
{
    const char *begin = at;
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r')) {
        at++;
    }
    return at < end && *at == '\n' ? (size_t)(at + 1 - begin) : 0;
}

// How many bytes a '=' and what belongs to it take, and the byte that they stand for (-1: none);
// 0 for a '=' that is only itself.
static size_t read_escape(const char *at, const char *end, int *byte)
{
    size_t skipped = soft_break(at + 1, end);
    *byte = -1;
    if (skipped > 0) {
        return 1 + skipped;
    }
    int high = end - at > 2 ? hexadecimal_digit(at[1]) : -1;
    int low = end - at > 2 ? hexadecimal_digit(at[2]) : -1;
    if (high < 0 || low < 0) {
        return 0;
    }
    *byte = high << 4 | low;
    return 3;
}

static size_t decode_quoted(char *bytes, size_t length)
{
    size_t written = 0;
    for (size_t i = 0; i < length;) {
        int byte = -1;
        size_t taken = bytes[i] == '=' ? read_escape(bytes + i, bytes + length, &byte) : 0;
        if (taken == 0) {
            bytes[written++] = bytes[i++];
        } else if (byte >= 0) {
            bytes[written++] = (char)byte;
        }
        i += taken;
    }
    return written;
}

size_t transfer_decode(char *bytes, size_t length, struct bytes encoding)
{
    if (bytes_equal(encoding, "base64")) {
        return decode_base64(bytes, length);
    }
    return bytes_equal(encoding, "quoted-printable") ? decode_quoted(bytes, length) : length;
}
