// The parts of a message (RFC 2046), as far as one must know them to read a report: one flat list,
// found without recursion. A message inside of the message is a part and is not looked into.
#ifndef MAILFLOW_PROBES_COLLECT_MIME_PARTS_H
#define MAILFLOW_PROBES_COLLECT_MIME_PARTS_H

#include <stddef.h>

#include "probes/collect/bytes.h"

enum { MIME_PARTS_MAXIMUM = 16, MIME_TYPE_SIZE = 64, MIME_MULTIPARTS_MAXIMUM = 6 };

struct mime_part {
    char type[MIME_TYPE_SIZE]; // "text/plain" when it does not say
    struct bytes body;         // decoded
};

struct mime_parts {
    struct mime_part items[MIME_PARTS_MAXIMUM]; // of the outermost multipart first
    size_t count;
};

// Decodes the bytes in place; the parts stand in them. What is more, or deeper, is left out; a part
// that is cut off ends where the bytes do.
void mime_split(char *bytes, size_t length, struct mime_parts *out);

// The first part of a type, in any case; NULL when there is none.
const struct mime_part *mime_find(const struct mime_parts *parts, const char *type);

#endif
