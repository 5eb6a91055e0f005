#include "ctl/live_greet.h"

#include "base/clock.h"
#include "ctl/prober_child.h"

#define GRACE SPAN_SECONDS(2) // a prober keeps its deadline by itself

bool live_greet(const char *probers, struct span patience, struct greet_job *job,
                struct greet_outcome *outcome, struct error *error)
{
    struct prober_child child;
    const char *line;
    size_t length;
    job->number = 1;
    job->deadline = instant_add(clock_now().instant, patience);
    if (!prober_child_start(&child, probers, "mailflow-greet", error)) {
        return false;
    }
    prober_child_write(&child, greet_job_encode(job));
    bool good =
        prober_child_read(&child, instant_add(job->deadline, GRACE), &line, &length, error) &&
        greet_outcome_decode(line, length, outcome, error);
    prober_child_stop(&child);
    return good;
}
