// What is being waited for, while that takes longer than a second: a line on a terminal's standard
// error, which is gone when there is something to say. Elsewhere there is none of it.
#ifndef MAILFLOW_CTL_PROGRESS_H
#define MAILFLOW_CTL_PROGRESS_H

#include "base/instant.h"

struct progress {
    struct instant begun;
    const char *what;
    bool able; // standard error is a terminal
    bool shown;
};

// `what` follows "waiting" ("for probe ... to arrive"), and outlives it.
struct progress progress_begin(const char *what);

// Shows how long it has been, once that is more than a second.
void progress_show(struct progress *progress);

// Takes the line away. It may be shown again.
void progress_clear(struct progress *progress);

#endif
