// A mail server asked by mailflow-greet: one job, one outcome.
#ifndef MAILFLOW_CTL_LIVE_GREET_H
#define MAILFLOW_CTL_LIVE_GREET_H

#include <stdbool.h>

#include "base/error.h"
#include "probes/greet.h"

// Fills in the job's number and deadline. False with the reason when the prober does not do it.
bool live_greet(const char *probers, struct greet_job *job, struct greet_outcome *outcome,
                struct error *error);

#endif
