// Whether a mail server greets: connect, wait for the first line, say QUIT; and, where an envelope
// is asked about, whether it takes that.
#ifndef MAILFLOW_PROBES_GREET_GREETING_H
#define MAILFLOW_PROBES_GREET_GREETING_H

#include <stdbool.h>

#include "base/error.h"
#include "probes/greet.h"

// False with the reason: no address, no connection to any, no line in time, another line than 220.
// Where an envelope is asked about, `refusal` is the reply by which it is not taken, be that the
// greeting, and "" otherwise.
bool greeting_await(const char *host, const struct greet_job *job, char refusal[PROBE_REPLY_SIZE],
                    struct error *error);

#endif
