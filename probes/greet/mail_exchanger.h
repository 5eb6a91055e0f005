// Where the mail of a domain goes (RFC 5321 section 5.1): its most preferred mail exchanger.
#ifndef MAILFLOW_PROBES_GREET_MAIL_EXCHANGER_H
#define MAILFLOW_PROBES_GREET_MAIL_EXCHANGER_H

#include <stdbool.h>

#include "base/error.h"
#include "probes/probe.h"

// The domain itself when it has none, or when nobody can say. False when it takes no mail at all
// (RFC 7505). Asks the resolver's servers for a few seconds at most.
bool mail_exchanger_find(const char *domain, char out[PROBE_HOST_SIZE], struct error *error);

#endif
