#include "core/hops.h"

#include <string.h>

#include "base/text.h"

#define STAMP_RESOLUTION SPAN_SECONDS(1)

static void measure(struct hops *out, size_t place, struct walltime from, struct walltime to,
                    struct span error)
{
    out->of[place] = (struct hop_delta){true, walltime_since(to, from), error};
    const struct hop_delta *delta = &out->of[place];
    if (delta->delta.ns > delta->error.ns &&
        (out->slowest < 0 || delta->delta.ns > out->of[out->slowest].delta.ns)) {
        out->slowest = (int)place;
    }
}

void hops_measure(const struct trace *trace, struct walltime sent, struct span sent_error,
                  struct walltime arrived, struct span arrived_error, struct hops *out)
{
    struct walltime before = sent;
    struct span error = sent_error;
    *out = (struct hops){.slowest = -1};
    // What was left out of a long way lies between us and the first hop that is known.
    for (size_t i = 0; i < trace->count; i++) {
        if (walltime_known(trace->hops[i].time)) {
            measure(out, i, before, trace->hops[i].time, span_add(error, STAMP_RESOLUTION));
            before = trace->hops[i].time;
            error = SPAN_ZERO;
        }
    }
    if (trace->count > 0 && walltime_known(arrived)) {
        measure(out, trace->count, before, arrived, span_add(arrived_error, STAMP_RESOLUTION));
    }
}

static const char *name_of(const struct hop *hop)
{
    return hop->by[0] != '\0' ? hop->by : "?";
}

void hops_name_slowest(const struct trace *trace, const struct hops *hops, struct slowest_hop *out)
{
    *out = (struct slowest_hop){.delay = SPAN_ZERO};
    if (hops->slowest < 0) {
        return;
    }
    size_t place = (size_t)hops->slowest, before = place;
    while (before > 0 && !walltime_known(trace->hops[before - 1].time)) {
        before--;
    }
    out->delay = hops->of[place].delta;
    text_copy(out->to, sizeof out->to,
              place < trace->count ? name_of(&trace->hops[place]) : HOP_MAILBOX);
    text_copy(out->from, sizeof out->from,
              before > 0 ? name_of(&trace->hops[before - 1]) : HOP_AGENT);
}
