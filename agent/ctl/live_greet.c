#include "ctl/live_greet.h"

#include "base/clock.h"
#include "ctl/prober_child.h"

bool live_greet(const char *probers, struct span patience, struct greet_job *job,
                struct greet_outcome *outcome, struct error *error)
{
    struct prober_child child;
    const char *line;
    size_t length;
    job->number = 1;
    job->deadline = instant_add(clock_now().instant, patience);
    return prober_child_ask(&child, probers, "mailflow-greet", greet_job_encode(job), job->deadline,
                            &line, &length, error) &&
           greet_outcome_decode(line, length, outcome, error);
}
