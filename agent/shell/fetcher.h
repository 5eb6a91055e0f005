// The mailflow-fetch process: carries many jobs at once. It is kept running while it is wanted, so
// that a job costs no start, and started anew when it has died. Every job has an absolute deadline;
// a process that lets one pass is killed, and its jobs end as outcomes, never as an outage.
#ifndef MAILFLOW_SHELL_FETCHER_H
#define MAILFLOW_SHELL_FETCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "probes/fetch.h"

struct fetcher;

// Called once for every job, later than fetcher_give returns.
struct fetcher_handlers {
    void (*done)(void *context, const char *peer, const struct fetch_outcome *outcome);
    void (*died)(void *context, const char *how); // the process ended that should not have
};

struct fetcher *fetcher_create(uv_loop_t *loop, const char *probers,
                               const struct fetcher_handlers *handlers, void *context);

// Ends the process and forgets every job. Returns at once; the loop runs dry afterwards.
void fetcher_destroy(struct fetcher *fetcher);

// Whether the process is to be kept running without a job.
void fetcher_want(struct fetcher *fetcher, bool wanted);

// How many jobs are under way, of FETCH_JOBS_MAXIMUM.
unsigned fetcher_running(const struct fetcher *fetcher);

// Takes a copy; there must be room. Returns the number that the outcome will carry.
int64_t fetcher_give(struct fetcher *fetcher, const char *peer, const struct fetch_job *job);

#endif
