// One Received header (RFC 5321 section 4.4, RFC 5322 section 3.6.7) as the servers that matter
// write it: Postfix, Exim, Sendmail, Exchange, qmail, Gmail, Dovecot. Anyone may have written
// anything: what is not understood is left empty. Pure; comments are counted, never recursed into.
#ifndef MAILFLOW_PROBES_COLLECT_RECEIVED_H
#define MAILFLOW_PROBES_COLLECT_RECEIVED_H

#include <stddef.h>

#include "probes/trace.h"

// `value`: what follows the colon, folded as it came.
void received_read(const char *value, size_t length, struct hop *out);

#endif
