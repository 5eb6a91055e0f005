// The pool of mailflow-submit processes. One is kept; more are started on demand and end when they
// have been idle for a while. Every job has an absolute deadline: a process that passes it is
// killed and the job ends as an outcome, never as an outage.
//
// Servers that hang must not delay the probes of healthy ones. Each relay has a window of how many
// processes it may hold: one at first, twice as many after each job that ended in time, and again
// one while any of its jobs takes longer than it should. Relays whose last job ran out of time are
// suspects, and all suspects together may hold only SUSPECTS_MAXIMUM processes.
//
// A process at work for a relay that answers is given up to JOBS_AHEAD more jobs for the same one
// before another process is started: they go into the same session. What it has not begun when it
// ends prematurely is given to others.
#ifndef MAILFLOW_SHELL_SUBMITTERS_H
#define MAILFLOW_SHELL_SUBMITTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/probe_id.h"
#include "probes/probe.h"

enum { SUBMITTERS_MAXIMUM = 64, JOBS_AHEAD = 2 };

struct submitters;

// Called once for every job, later than submitters_submit returns.
struct submitters_handlers {
    void (*done)(void *context, const char *peer, const struct probe_id *id,
                 const struct submit_outcome *outcome);
    void (*died)(void *context, const char *how); // a process ended that should not have
};

struct submitters *submitters_create(uv_loop_t *loop, const char *probers,
                                     const struct submitters_handlers *handlers, void *context);

// Ends every process and forgets every job. Returns at once; the loop runs dry afterwards.
void submitters_destroy(struct submitters *submitters);

// Gives the job its number and keeps what it needs of it. The tag's `to` names the peer.
void submitters_submit(struct submitters *submitters, struct submit_job *job);

struct submitters_figures {
    unsigned busy;
    unsigned waiting; // for their turn, those given to a process already included
    uint64_t killed;  // at their deadline
};
struct submitters_figures submitters_figures(const struct submitters *submitters);

#endif
