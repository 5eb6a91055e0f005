// What the agent and mailflow-greet say to each other: one job a line in, one outcome a line out.
// The question is whether a mail server greets (RFC 5321 section 4.2: 220) when somebody connects,
// and, where a recipient is named, whether it would take mail to it; none is sent.
#ifndef MAILFLOW_PROBES_GREET_H
#define MAILFLOW_PROBES_GREET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "probes/probe.h"

// Said in the clear, without a login.
struct greet_envelope {
    char ehlo[PROBE_HOST_SIZE];
    char sender[PROBE_ADDRESS_SIZE];
    char recipient[PROBE_ADDRESS_SIZE]; // "" = only the greeting is asked for
};

struct greet_job {
    int64_t number;
    struct instant deadline;
    char host[PROBE_HOST_SIZE];
    uint16_t port;
    bool domain; // the host is a mail domain: its most preferred mail exchanger is meant, if any
    struct greet_envelope envelope;
};

struct greet_outcome {
    int64_t number;
    bool greeted;
    char server[PROBE_HOST_SIZE];   // that was connected to
    char cause[PROBE_REPLY_SIZE];   // why it did not greet; "" when it did
    char refusal[PROBE_REPLY_SIZE]; // the reply by which it does not take the envelope, or ""
};

// As in probe.h: one line with its newline, for the caller to free; decoders fill a zeroed value.
char *greet_job_encode(const struct greet_job *job);
bool greet_job_decode(const char *line, size_t length, struct greet_job *out, struct error *error);
char *greet_outcome_encode(const struct greet_outcome *outcome);
bool greet_outcome_decode(const char *line, size_t length, struct greet_outcome *out,
                          struct error *error);

#endif
