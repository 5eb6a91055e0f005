// What a session asks of a job before anything goes on the wire. Pure.
#ifndef MAILFLOW_PROBES_SUBMIT_JOB_H
#define MAILFLOW_PROBES_SUBMIT_JOB_H

#include <stdbool.h>

#include "base/instant.h"
#include "probes/probe.h"

// When the session must be over: before the job's own deadline, so that there is time to tell.
struct instant job_deadline(const struct submit_job *job);

// Whether both go to the same server in the same way and as the same user.
bool job_shares_relay(const struct submit_job *job, const struct submit_job *other);

#endif
