// The pool of mailflow-submit processes. One is kept; more are started on demand and end when they
// have been idle for a while. Every job has an absolute deadline: a process that passes it is
// killed and the job ends as an outcome, never as an outage.
//
// Servers that hang must not delay the probes of healthy ones, nor a recipient at which a server
// hangs those of its others. Each relay has a window of how many processes it may hold: one at
// first, twice as many after each job that ended in time, and one beside those whose job takes
// longer than it should, of which it may hold RELAY_HANGING_MAXIMUM. Relays whose last job ran out
// of time are suspects, and all suspects and jobs that hang together may hold only SUSPECTS_MAXIMUM
// processes.
//
// A process at work for a relay that answers is given one more job for the same one, which goes
// into the same session, before another process is started: not before the server has said that it
// takes the message under way, for behind a recipient at which it hangs that job would wait as
// long. What a process has not begun when it ends prematurely is given to others.
//
// What waits is small: a job is composed only when a process takes it, and says what is true then.
#ifndef MAILFLOW_SHELL_SUBMITTERS_H
#define MAILFLOW_SHELL_SUBMITTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/probe_id.h"
#include "probes/probe.h"

enum { SUBMITTERS_MAXIMUM = 64 };

struct submitters;

// A probe to be handed over at this server. The tag's `to` names the peer.
struct submit_request {
    struct instant deadline;
    struct tag tag;
    const char *host;
    uint16_t port;
};

struct submitters_handlers {
    // Fills in the rest of a job that has its number, deadline and tag; false when its peer is
    // configured no more. Called by submitters_serve.
    bool (*compose)(void *context, struct submit_job *job);
    // Called once for every probe, later than submitters_submit returns.
    void (*done)(void *context, const char *peer, const struct probe_id *id,
                 const struct submit_outcome *outcome);
    void (*died)(void *context, const char *how); // a process ended that should not have
};

struct submitters *submitters_create(uv_loop_t *loop, const char *probers,
                                     const struct submitters_handlers *handlers, void *context);

// Ends every process and forgets every job. Returns at once; the loop runs dry afterwards.
void submitters_destroy(struct submitters *submitters);

// Takes a copy; it waits until submitters_serve.
void submitters_submit(struct submitters *submitters, const struct submit_request *request);

// Gives what waits to processes, as far as there are any. To be called in every turn of the loop in
// which the ledger has all that a job may say.
void submitters_serve(struct submitters *submitters);

struct submitters_figures {
    unsigned busy;
    unsigned waiting; // for their turn, those given to a process already included
    uint64_t killed;  // at their deadline
};
struct submitters_figures submitters_figures(const struct submitters *submitters);

#endif
