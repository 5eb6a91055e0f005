// One prober process: lines in, lines out, and its end told once. The agent's only way to start a
// program. A child is over after its exit *and* the end of its output; then `ended` is called,
// last, and the child frees itself.
//
// Its environment is closed, its working directory is /, its stderr is ours. The prober itself sees
// to it that it dies with us (probes/prober.h).
#ifndef MAILFLOW_SHELL_CHILD_H
#define MAILFLOW_SHELL_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/error.h"

struct child;

struct child_handlers {
    // One line without its newline; valid during the call.
    void (*line)(void *context, const char *line, size_t length);
    // How it ended, in words: "exited with status 70", "killed by signal 11 (Segmentation fault)".
    void (*ended)(void *context, const char *how);
};

// NULL with a message when the program cannot be started.
struct child *child_create(uv_loop_t *loop, const char *program,
                           const struct child_handlers *handlers, void *context,
                           struct error *error);

// Takes the line (from malloc), newline included.
void child_write(struct child *child, char *line);

// SIGKILL; `ended` follows.
void child_kill(struct child *child);

// SIGTERM, for one that has something to clean up; `ended` follows.
void child_ask_to_end(struct child *child);

// Closes its input, so that it ends when it has done what it has; `ended` follows.
void child_finish(struct child *child);

#endif
