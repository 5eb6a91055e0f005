// Asks mail servers whether they greet: one short-lived mailflow-greet process each, a few at once,
// the others in their turn. What has not been answered at its deadline has not greeted.
#ifndef MAILFLOW_SHELL_GREETERS_H
#define MAILFLOW_SHELL_GREETERS_H

#include <stdbool.h>
#include <uv.h>

#include "probes/greet.h"

enum { GREETERS_MAXIMUM = 16 };

struct greeters;

// `done` is called once for every job, later than greeters_ask returns.
struct greeters_handlers {
    void (*done)(void *context, const char *peer, const struct greet_outcome *outcome);
};

struct greeters *greeters_create(uv_loop_t *loop, const char *probers,
                                 const struct greeters_handlers *handlers, void *context);

// Ends every process and forgets every job. Returns at once; the loop runs dry afterwards.
void greeters_destroy(struct greeters *greeters);

// Takes a copy.
void greeters_ask(struct greeters *greeters, const char *peer, const struct greet_job *job);

#endif
