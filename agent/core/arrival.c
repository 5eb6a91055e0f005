#include "core/arrival.h"

#include "probes/probe.h"

static struct arrival arrival_of(struct walltime at, struct walltime earliest,
                                 struct walltime latest)
{
    struct span before = walltime_since(at, earliest), after = walltime_since(latest, at);
    return (struct arrival){at, earliest, latest, span_longer(before, after)};
}

// Between the question that did not find it and the one that did; without them the upper end.
static struct walltime guess(const struct arrival_sight *seen, struct walltime sent)
{
    struct walltime begin = walltime_later(seen->absent, sent);
    if (begin.ns > seen->asked.ns || seen->asked.ns > seen->present.ns) {
        return seen->present;
    }
    return (struct walltime){begin.ns + (seen->asked.ns - begin.ns) / 2};
}

struct arrival arrival_estimate(const struct arrival_sight *seen, struct walltime sent)
{
    struct walltime absent = seen->absent, present = seen->present;
    bool bounded = walltime_known(absent) && absent.ns <= present.ns;
    if (bounded && walltime_since(present, absent).ns < ARRIVAL_GUESSED.ns) {
        return arrival_of(guess(seen, sent), absent, present);
    }
    // The server's second is an interval too; what both agree on is where the arrival was.
    struct walltime begin = walltime_later(seen->saved, absent);
    struct walltime end = walltime_earlier(walltime_add(seen->saved, SPAN_SECONDS(1)), present);
    if (walltime_known(seen->saved) && begin.ns <= end.ns) {
        return arrival_of(end, begin, end);
    }
    return arrival_of(present, bounded ? absent : present, present);
}

struct arrival arrival_reported(const struct collect_report *report, struct walltime sent)
{
    struct arrival_sight seen = {report->absent.wall, report->asked.wall, report->present.wall,
                                 report->saved};
    return arrival_estimate(&seen, sent);
}
