// A mail server asked by mailflow-greet: one job, one outcome.
#ifndef MAILFLOW_CTL_LIVE_GREET_H
#define MAILFLOW_CTL_LIVE_GREET_H

#include <stdbool.h>

#include "base/error.h"
#include "probes/greet.h"

// Fills in the job's number, and its deadline by the patience. False with the reason when the
// prober does not do it.
bool live_greet(const char *probers, struct span patience, struct greet_job *job,
                struct greet_outcome *outcome, struct error *error);

#endif
