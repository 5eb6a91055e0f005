// What the agent and mailflow-discover say to each other: one job in, a line for every server that
// the name has, and a last line that says how it ended.
#ifndef MAILFLOW_PROBES_DISCOVER_H
#define MAILFLOW_PROBES_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "probes/probe.h"

struct discover_job {
    int64_t number;
    struct instant deadline;
    char name[PROBE_HOST_SIZE]; // whose SRV records are wanted
};

enum discover_kind { DISCOVER_SERVER, DISCOVER_DONE, DISCOVER_FAILED };

struct discover_line {
    int64_t number; // of the job
    enum discover_kind kind;
    char host[PROBE_HOST_SIZE]; // DISCOVER_SERVER: letters, digits, dashes, dots and underscores
    uint16_t port;
    char cause[PROBE_REPLY_SIZE]; // DISCOVER_FAILED
};

// As in probe.h: one line with its newline, for the caller to free; decoders fill a zeroed value.
char *discover_job_encode(const struct discover_job *job);
bool discover_job_decode(const char *line, size_t length, struct discover_job *out,
                         struct error *error);
char *discover_line_encode(const struct discover_line *line);
bool discover_line_decode(const char *line, size_t length, struct discover_line *out,
                          struct error *error);

#endif
