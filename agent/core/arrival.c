#include "core/arrival.h"

struct arrival arrival_estimate(struct walltime absent, struct walltime present,
                                struct walltime saved)
{
    struct span gap = walltime_since(present, absent);
    if (walltime_known(absent) && gap.ns < SPAN_SECONDS(1).ns) {
        return (struct arrival){present, gap.ns > 0 ? gap : SPAN_ZERO};
    }
    // The server's second is an interval too; what both agree on is where the arrival was.
    struct walltime begin = walltime_later(saved, absent);
    struct walltime end = walltime_earlier(walltime_add(saved, SPAN_SECONDS(1)), present);
    if (walltime_known(saved) && begin.ns <= end.ns) {
        return (struct arrival){end, walltime_since(end, begin)};
    }
    return (struct arrival){present, walltime_known(absent) ? gap : SPAN_ZERO};
}
