// One submission by libESMTP: a job in, its outcome out, within its deadline.
//
// The library's session is bounded from three sides: interpose.h ends waiting, the watchdog ends
// flooding, and the dialogue ends what must not go on. A little of the deadline is kept back, so
// that the outcome is out before the agent kills the process.
#ifndef MAILFLOW_PROBES_SUBMIT_SESSION_H
#define MAILFLOW_PROBES_SUBMIT_SESSION_H

#include "probes/probe.h"

// Called at the moment the content starts, with the outcome so far (SUBMIT_CONTENT).
struct session_observer {
    void (*content_started)(void *context, const struct submit_outcome *so_far);
    void *context;
};

// Loads what the library loads late, so that a confined process need not.
void session_warm_up(void);

void session_run(const struct submit_job *job, const struct session_observer *observer,
                 struct submit_outcome *out);

#endif
