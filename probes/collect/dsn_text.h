// Reports of delivery in words, as servers write them that know no RFC 3464 or whose report comes
// without its machine's part, or leaves the reason out there (OpenSMTPD): qmail (QSBMF,
// https://cr.yp.to/proto/qsbmf.txt), Exim, Sendmail, Gmail and what resembles them. A text that
// none of their sentences stands in is no report.
#ifndef MAILFLOW_PROBES_COLLECT_DSN_TEXT_H
#define MAILFLOW_PROBES_COLLECT_DSN_TEXT_H

#include <stdbool.h>

#include "probes/bounce.h"
#include "probes/collect/bytes.h"

struct dsn_text {
    struct bounce bounce;
    struct bytes original; // from the headers of the message that it is about on; empty when absent
};

bool dsn_text_read(struct bytes text, struct dsn_text *out);

// The first enhanced status code (RFC 3463) in the words; false when there is none.
bool dsn_text_find_status(const char *words, char status[BOUNCE_STATUS_SIZE]);

#endif
