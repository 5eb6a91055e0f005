// The few headers by which a message may be ours, cut out of what the server sent of its header
// section (RFC 5322 section 2.2). Written by whoever sent the message: strict, bounded, and never
// given to a parser that recurses.
//
// Values come unfolded, with runs of white space as one blank and none at the ends: the form that
// the signature covers (base/tag_codec.h). Names are compared without case.
#ifndef MAILFLOW_PROBES_COLLECT_HEADER_BLOCK_H
#define MAILFLOW_PROBES_COLLECT_HEADER_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/tag_codec.h"

enum { HEADER_VALUE_SIZE = TAG_LIST_SIZE };

enum header_block_fault {
    HEADERS_SOUND,
    HEADERS_REPEATED,  // a Mailflow- header stands there twice
    HEADERS_MALFORMED, // a line that is no header, or a control byte in a value of ours
    HEADERS_TOO_BIG    // a value of ours longer than it may be
};

struct header_block {
    enum header_block_fault fault;      // the first one; what was read before it is there
    char message_id[HEADER_VALUE_SIZE]; // "" when absent, repeated or too long
    bool has[TAG_HEADERS];
    char values[TAG_HEADERS][HEADER_VALUE_SIZE];
};

void header_block_read(const char *bytes, size_t length, struct header_block *out);

#endif
