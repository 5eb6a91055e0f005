// A report of what became of a message: delivery status notifications (RFC 3464, RFC 6522), as
// Postfix, Exim, Sendmail, Exchange and Gmail send them, and reports in words (dsn_text.h).
//
// Read from the first bytes of a message by whoever sent it, in one pass over a flat list of parts.
// Which message it is about is what it says; whether that is true is for the caller to find out. An
// empty return path is a sign that it may be a report, and no more.
#ifndef MAILFLOW_PROBES_COLLECT_DSN_H
#define MAILFLOW_PROBES_COLLECT_DSN_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/bounce.h"
#include "probes/collect/bytes.h"

// As much of a message as is looked at: what matters stands in front of what was returned.
enum {
    DSN_BYTES_MAXIMUM = 64 * 1024,
    DSN_BEGINNING_MAXIMUM = 8192,
    DSN_ENVELOPE_ID_SIZE = 101 // RFC 3461: at most 100
};

struct dsn {
    struct bounce bounce;
    char envelope_id[DSN_ENVELOPE_ID_SIZE]; // of the original; "" when it does not say
    struct bytes original;                  // its headers, and perhaps more; empty when absent
    struct bytes answers[2]; // its Message-ID by In-Reply-To and References, where there is no
                             // original; empty otherwise
};

// By its headers alone, whether a message may be such a report.
bool dsn_may_be(const char *headers, size_t length);

// By its beginning, whether the rest of such a message is worth reading: all of a large one costs
// its reader dearly, and most that may be reports are none.
bool dsn_begins(const char *bytes, size_t length);

// False when it is none. Decodes the bytes in place; the result stands in them.
bool dsn_read(char *bytes, size_t length, struct dsn *out);

#endif
