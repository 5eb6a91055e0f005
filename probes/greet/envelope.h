// Whether a mail server would take mail of an envelope (RFC 5321 section 3.3): EHLO or HELO, MAIL,
// RCPT, and no further. Nothing is sent to anybody.
#ifndef MAILFLOW_PROBES_GREET_ENVELOPE_H
#define MAILFLOW_PROBES_GREET_ENVELOPE_H

#include <stdbool.h>

#include "base/error.h"
#include "probes/greet.h"
#include "probes/greet/wire.h"

// After the first line of the greeting, `line`. `refusal` is the reply that is none of success, ""
// when there was none; false with the reason when a reply did not come.
bool envelope_try(struct wire *wire, const char *line, const struct greet_envelope *envelope,
                  char refusal[PROBE_REPLY_SIZE], struct error *error);

#endif
