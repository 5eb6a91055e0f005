// One Authentication-Results header (RFC 8601 section 2.2). Pure.
//
// Whoever sends a message may write such headers into it; the receiving server takes away those
// that name itself and puts its own on top. So only the topmost of its authserv-id counts, and it
// is for the caller to stop at it.
#ifndef MAILFLOW_PROBES_COLLECT_AUTH_RESULTS_H
#define MAILFLOW_PROBES_COLLECT_AUTH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/trace.h"

// False when the header is of another authserv-id (compared without case), or is none. Of several
// results of one method (a message may have many DKIM signatures) a pass counts, else the first.
bool auth_results_read(const char *value, size_t length, const char *authserv_id,
                       struct authentication *out);

#endif
