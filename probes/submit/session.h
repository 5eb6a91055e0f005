// Submissions by libESMTP: a job in, its outcome out, within its deadline.
//
// The library's session is bounded from three sides: interpose.h ends waiting, the watchdog ends
// flooding, and the dialogue ends what must not go on. A little of the deadline is kept back, so
// that the outcome is out before the agent kills the process.
//
// When a message has been accepted and another job waits for the same relay, that goes into the
// same session, up to SESSION_MESSAGES_MAXIMUM: a backlog then costs no connection, TLS handshake
// and login each. It has its own deadline, stamp and outcome, without the legs that it did not
// pass. A session ends with the first message that is not accepted, and who was refused in a
// session begun by others is done again in one of its own before it is told.
#ifndef MAILFLOW_PROBES_SUBMIT_SESSION_H
#define MAILFLOW_PROBES_SUBMIT_SESSION_H

#include "probes/probe.h"

enum { SESSION_MESSAGES_MAXIMUM = 50 };

struct session_observer {
    // The content starts; the outcome so far is SUBMIT_CONTENT.
    void (*content_started)(void *context, const struct submit_outcome *so_far);
    // A job is over.
    void (*ended)(void *context, const struct submit_outcome *outcome);
    // The next job, if it is there without waiting, else NULL; the same until it is taken.
    const struct submit_job *(*waiting)(void *context);
    void (*taken)(void *context);
    void *context;
};

// Loads what the library loads late, so that a confined process need not.
void session_warm_up(void);

// Runs the job and those that come to share its session, in their order.
void session_run(const struct submit_job *job, const struct session_observer *observer);

#endif
