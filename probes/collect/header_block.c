#include "probes/collect/header_block.h"

#include <string.h>

#include "probes/collect/bytes.h"

enum { MESSAGE_ID = TAG_HEADERS, NO_HEADER };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int find_header(struct bytes name)
{
    for (int i = 0; i < TAG_HEADERS; i++) {
        if (bytes_equal(name, tag_header_name((enum tag_header)i))) {
            return i;
        }
    }
    return bytes_equal(name, "Message-ID") ? MESSAGE_ID : NO_HEADER;
}

// Appends one line of a value; runs of white space become one blank.
static enum header_block_fault append_line(char value[HEADER_VALUE_SIZE], struct bytes line)
{
    size_t at = strlen(value);
    bool wants_blank = at > 0;
    for (const char *c = line.at; c < line.end; c++) {
        if (is_blank(*c)) {
            wants_blank = at > 0;
            continue;
        }
        if ((unsigned char)*c < 0x20 || *c == 0x7F) {
            return HEADERS_MALFORMED;
        }
        if (at + 2 >= HEADER_VALUE_SIZE) {
            return HEADERS_TOO_BIG;
        }
        if (wants_blank) {
            value[at++] = ' ';
            wants_blank = false;
        }
        value[at++] = *c;
        value[at] = '\0';
    }
    return HEADERS_SOUND;
}

// Reads one header with its continuation lines, and moves past them. A value whose folding adds a
// blank begins each continuation with one, whatever stood there.
static enum header_block_fault read_value(struct bytes line, struct bytes *rest,
                                          char value[HEADER_VALUE_SIZE])
{
    value[0] = '\0';
    enum header_block_fault fault = append_line(value, line);
    while (rest->at < rest->end && is_blank(*rest->at) && bytes_take_line(rest, &line)) {
        fault = fault == HEADERS_SOUND ? append_line(value, line) : fault;
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

// Takes the name off the front of a header; false when the line has none.
static bool take_name(struct bytes *line, struct bytes *name)
{
    const char *colon = memchr(line->at, ':', bytes_length(*line));
    if (colon == NULL) {
        return false;
    }
    *name = (struct bytes){line->at, colon};
    line->at = colon + 1;
    while (name->end > name->at && is_blank(name->end[-1])) {
        name->end--;
    }
    return name->end > name->at;
}

void header_block_read(const char *bytes, size_t length, struct header_block *out)
{
    struct bytes rest = {bytes, bytes + length}, line;
    bool seen_message_id = false;
    memset(out, 0, sizeof *out);
    while (bytes_take_line(&rest, &line) && line.at < line.end) {
        struct bytes name;
        if (!take_name(&line, &name)) {
            keep_fault(out, HEADERS_MALFORMED);
            continue;
        }
        char value[HEADER_VALUE_SIZE] = "";
        int header = find_header(name);
        enum header_block_fault fault = read_value(line, &rest, value);
        if (header == MESSAGE_ID) {
            keep_message_id(out, value, fault, &seen_message_id);
        } else if (header != NO_HEADER) {
            keep_header(out, header, value, fault);
        }
    }
}
