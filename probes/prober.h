// What every prober does first: become small, powerless and short-lived.
//
// prober_confine, called once after the program's warm-up (libraries loaded, TLS and resolver used
// once): SIGPIPE ignored, every descriptor above stderr closed, killed when the agent dies, limits
// on memory, files and core, no new privileges, and a seccomp filter under which it cannot execute
// anything, open a file for writing, trace, or map executable memory.
#ifndef MAILFLOW_PROBES_PROBER_H
#define MAILFLOW_PROBES_PROBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct prober_limits {
    size_t memory_bytes;  // RLIMIT_AS
    unsigned descriptors; // RLIMIT_NOFILE
};

// To be called first thing in main, before anything is opened or loaded.
void prober_begin(void);

bool prober_confine(const struct prober_limits *limits, struct error *error);

#endif
