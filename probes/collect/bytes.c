#include "probes/collect/bytes.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

size_t bytes_length(struct bytes bytes)
{
    return (size_t)(bytes.end - bytes.at);
}

bool bytes_take_line(struct bytes *bytes, struct bytes *line)
{
    if (bytes->at == bytes->end) {
        return false;
    }
    const char *newline = memchr(bytes->at, '\n', bytes_length(*bytes));
    *line = (struct bytes){bytes->at, newline == NULL ? bytes->end : newline};
    if (line->end > line->at && line->end[-1] == '\r') {
        line->end--;
    }
    bytes->at = newline == NULL ? bytes->end : newline + 1;
    return true;
}

struct bytes bytes_trim(struct bytes bytes)
{
    while (bytes.at < bytes.end && isspace((unsigned char)*bytes.at)) {
        bytes.at++;
    }
    while (bytes.end > bytes.at && isspace((unsigned char)bytes.end[-1])) {
        bytes.end--;
    }
    return bytes;
}

bool bytes_begin_with(struct bytes bytes, const char *word)
{
    size_t length = strlen(word);
    return bytes_length(bytes) >= length && strncasecmp(bytes.at, word, length) == 0;
}

bool bytes_equal(struct bytes bytes, const char *word)
{
    return bytes_length(bytes) == strlen(word) && bytes_begin_with(bytes, word);
}

bool bytes_contain(struct bytes bytes, const char *word)
{
    while (bytes.at < bytes.end && !bytes_begin_with(bytes, word)) {
        bytes.at++;
    }
    return bytes.at < bytes.end;
}

// The length of the character at the front, 0 when it is none to be shown.
static size_t shown_length(struct bytes bytes)
{
    char front[5] = ""; // the longest character, and a NUL where the bytes have none
    size_t count = bytes_length(bytes) < 4 ? bytes_length(bytes) : 4;
    memcpy(front, bytes.at, count);
    return iscntrl((unsigned char)front[0]) ? 0 : text_character_length(front);
}

void bytes_append_words(struct bytes bytes, struct text *out)
{
    bytes = bytes_trim(bytes);
    while (bytes.at < bytes.end && !out->truncated) {
        if (isspace((unsigned char)*bytes.at)) {
            text_append(out, " ");
            while (isspace((unsigned char)*bytes.at)) {
                bytes.at++; // it ends with something else
            }
            continue;
        }
        size_t length = shown_length(bytes);
        text_append_bytes(out, length > 0 ? bytes.at : "?", length > 0 ? length : 1);
        bytes.at += length > 0 ? length : 1;
    }
}
