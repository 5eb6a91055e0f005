#include "probes/collect/header_block.h"

#include <string.h>
#include <strings.h>

enum { MESSAGE_ID = TAG_HEADERS, NO_HEADER };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

// The length of the line without its end, and where the next one begins.
static size_t take_line(const char *at, const char *end, const char **next)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    const char *line_end = newline == NULL ? end : newline;
    *next = newline == NULL ? end : newline + 1;
    if (line_end > at && line_end[-1] == '\r') {
        line_end--;
    }
    return (size_t)(line_end - at);
}

static int find_header(const char *name, size_t length)
{
    for (int i = 0; i < TAG_HEADERS; i++) {
        const char *known = tag_header_name((enum tag_header)i);
        if (strlen(known) == length && strncasecmp(known, name, length) == 0) {
            return i;
        }
    }
    return length == strlen("Message-ID") && strncasecmp("Message-ID", name, length) == 0
               ? MESSAGE_ID
               : NO_HEADER;
}

// Appends one line of a value; runs of white space become one blank.
static enum header_block_fault append_line(char value[HEADER_VALUE_SIZE], const char *line,
                                           size_t length)
{
    size_t at = strlen(value);
    bool wants_blank = at > 0;
    for (size_t i = 0; i < length; i++) {
        if (is_blank(line[i])) {
            wants_blank = at > 0;
            continue;
        }
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F) {
            return HEADERS_MALFORMED;
        }
        if (at + 2 >= HEADER_VALUE_SIZE) {
            return HEADERS_TOO_BIG;
        }
        if (wants_blank) {
            value[at++] = ' ';
            wants_blank = false;
        }
        value[at++] = line[i];
        value[at] = '\0';
    }
    return HEADERS_SOUND;
}

// Reads one header with its continuation lines, and moves past them. A value whose folding adds a
// blank begins each continuation with one, whatever stood there.
static enum header_block_fault read_value(const char *line, size_t length, const char **next,
                                          const char *end, char value[HEADER_VALUE_SIZE])
{
    value[0] = '\0';
    enum header_block_fault fault = append_line(value, line, length);
    while (*next < end && is_blank(**next)) {
        const char *at = *next;
        length = take_line(at, end, next);
        fault = fault == HEADERS_SOUND ? append_line(value, at, length) : fault;
    }
    return fault;
}

static void keep_fault(struct header_block *out, enum header_block_fault fault)
{
    out->fault = out->fault == HEADERS_SOUND ? fault : out->fault;
}

static void keep_message_id(struct header_block *out, const char *value,
                            enum header_block_fault fault, bool *seen)
{
    bool usable = fault == HEADERS_SOUND && !*seen;
    memcpy(out->message_id, usable ? value : "", usable ? HEADER_VALUE_SIZE : 1);
    *seen = true;
}

static void keep_header(struct header_block *out, int header, const char *value,
                        enum header_block_fault fault)
{
    if (out->has[header]) {
        keep_fault(out, HEADERS_REPEATED);
        return;
    }
    keep_fault(out, fault);
    out->has[header] = true;
    memcpy(out->values[header], value, HEADER_VALUE_SIZE);
}

void header_block_read(const char *bytes, size_t length, struct header_block *out)
{
    const char *at = bytes, *end = bytes + length;
    bool seen_message_id = false;
    memset(out, 0, sizeof *out);
    while (at < end) {
        const char *next, *line = at;
        size_t line_length = take_line(at, end, &next);
        if (line_length == 0) {
            return;
        }
        const char *colon = memchr(line, ':', line_length);
        size_t name_length = colon == NULL ? 0 : (size_t)(colon - line);
        while (name_length > 0 && is_blank(line[name_length - 1])) {
            name_length--;
        }
        if (name_length == 0) {
            keep_fault(out, HEADERS_MALFORMED);
            at = next;
            continue;
        }
        char value[HEADER_VALUE_SIZE] = "";
        int header = find_header(line, name_length);
        enum header_block_fault fault =
            read_value(colon + 1, line_length - (size_t)(colon + 1 - line), &next, end, value);
        if (header == MESSAGE_ID) {
            keep_message_id(out, value, fault, &seen_message_id);
        } else if (header != NO_HEADER) {
            keep_header(out, header, value, fault);
        }
        at = next;
    }
}
