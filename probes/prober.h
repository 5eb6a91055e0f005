// What every prober does first: become small, powerless and short-lived.
//
// prober_confine, called once after the program's warm-up (libraries loaded, TLS and resolver used
// once): killed when the agent dies, every descriptor above stderr closed, limits on memory,
// descriptors and core files, no new privileges, and seccomp. Two filters (seccomp(2)): what no
// prober has any business doing (execute, trace, fork, listen, open a file for writing, map
// executable memory) kills the process; whatever else is not on the list of what a mail client
// needs fails with ENOSYS, so that a C library with newer habits falls back instead of dying.
//
// Builds with AddressSanitizer keep the filters but not the memory limit (it reserves terabytes),
// and may fork and trace, because its leak check does.
#ifndef MAILFLOW_PROBES_PROBER_H
#define MAILFLOW_PROBES_PROBER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct prober_limits {
    size_t memory_bytes;  // RLIMIT_AS
    unsigned descriptors; // RLIMIT_NOFILE
    unsigned cpu_seconds; // RLIMIT_CPU: SIGXCPU, a second later SIGKILL; 0 = no limit
};

// To be called first thing in main, before anything is opened or loaded: SIGPIPE ignored, inherited
// descriptors closed, one memory arena, the time zone read.
void prober_begin(void);

// Reads standard input up to the end of the line or of the input. What is past `size` is dropped
// but counted, so that the decoder refuses the line. False at the end of the input.
bool prober_read_line(char *line, size_t size, size_t *length);

// Whether a whole line is there already, so that reading it does not wait.
bool prober_has_line(void);

// Writes a line to standard output at once, and frees it. False when nobody listens any more.
bool prober_write_line(char *line);

bool prober_confine(const struct prober_limits *limits, struct error *error);

#endif
