#include "core/hops.h"

#include "base/text.h"

#define STAMP_RESOLUTION SPAN_SECONDS(1)

// When a stamp that can be right may have been made at all: while the probe was on its way.
struct life {
    struct walltime from;
    struct walltime to;
    struct span length;
};

static struct life life_of(struct walltime sent, struct span sent_error, struct walltime arrived,
                           struct span arrived_error)
{
    bool over = walltime_known(arrived);
    struct walltime first = over ? walltime_earlier(sent, arrived) : sent;
    struct walltime last = walltime_later(sent, arrived);
    struct span room = span_add(STAMP_RESOLUTION, span_longer(sent_error, arrived_error));
    return (struct life){
        .from = walltime_subtract(first, room),
        .to = over ? walltime_add(last, room) : (struct walltime){INT64_MAX},
        .length = over ? walltime_since(last, first) : SPAN_ZERO,
    };
}

// What it says may be wrong by as much as makes it any part of the life.
static struct span doubt(struct span delta, const struct life *life)
{
    return span_longer(span_magnitude(delta), span_magnitude(span_subtract(life->length, delta)));
}

// A station is what comes before the delta of its index: 0 is where it was sent, one more than the
// hops the mailbox.
struct stations {
    struct walltime at[HOPS_MAXIMUM + 2];
    bool believed[HOPS_MAXIMUM + 2];
    size_t count;
};

// The part of a delta that no other stamp disputes: between the latest of those before it and the
// earliest of those behind.
static struct span undisputed(const struct stations *stations, size_t place)
{
    struct walltime before = stations->at[0], behind = stations->at[place + 1];
    for (size_t i = 1; i < stations->count; i++) {
        if (i <= place && stations->believed[i]) {
            before = walltime_later(before, stations->at[i]);
        } else if (stations->believed[i]) {
            behind = walltime_earlier(behind, stations->at[i]);
        }
    }
    return span_longer(walltime_since(behind, before), SPAN_ZERO);
}

static void find_slowest(struct hops *out, const struct stations *stations)
{
    struct span longest = SPAN_ZERO;
    for (size_t i = 0; i + 1 < stations->count; i++) {
        struct hop_delta *delta = &out->of[i];
        if (!stations->believed[i + 1]) {
            continue;
        }
        struct span sure = undisputed(stations, i);
        struct span disputed = span_magnitude(span_subtract(delta->delta, sure));
        if (sure.ns > delta->error.ns && sure.ns > longest.ns) {
            out->slowest = (int)i;
            longest = sure;
        }
        if (disputed.ns > delta->error.ns) {
            delta->error = span_add(delta->error, disputed);
        }
    }
}

static void measure(struct hops *out, size_t place, struct stations *stations, size_t newest,
                    struct span error)
{
    struct span delta = walltime_since(stations->at[place + 1], stations->at[newest]);
    out->of[place] = (struct hop_delta){.known = true,
                                        .believed = true,
                                        .delta = delta,
                                        .error = span_add(error, STAMP_RESOLUTION),
                                        .from = newest};
    stations->believed[place + 1] = true;
}

void hops_measure(const struct trace *trace, struct walltime sent, struct span sent_error,
                  struct walltime arrived, struct span arrived_error, struct hops *out)
{
    struct life life = life_of(sent, sent_error, arrived, arrived_error);
    struct stations stations = {.at = {sent}, .believed = {true}, .count = trace->count + 1};
    size_t newest = 0;
    *out = (struct hops){.slowest = -1};
    // What was left out of a long way lies between us and the first hop that is known.
    for (size_t i = 0; i < trace->count; i++) {
        struct walltime at = trace->hops[i].time;
        if (!walltime_known(at)) {
            continue;
        }
        stations.at[i + 1] = at;
        measure(out, i, &stations, newest, newest == 0 ? sent_error : SPAN_ZERO);
        if (at.ns < life.from.ns || at.ns > life.to.ns) {
            out->of[i].believed = stations.believed[i + 1] = false;
            out->of[i].error = span_add(out->of[i].error, doubt(out->of[i].delta, &life));
        } else {
            newest = i + 1;
        }
    }
    if (trace->count > 0 && walltime_known(arrived)) {
        stations.at[stations.count++] = arrived;
        measure(out, trace->count, &stations, newest, arrived_error);
    }
    find_slowest(out, &stations);
}

static const char *name_of(const struct hop *hop)
{
    return hop->by[0] != '\0' ? hop->by : "?";
}

const struct hop *hops_before(const struct trace *trace, const struct hops *hops, size_t place)
{
    size_t from = hops->of[place].from;
    return from == 0 ? NULL : &trace->hops[from - 1];
}

void hops_name_slowest(const struct trace *trace, const struct hops *hops, struct slowest_hop *out)
{
    *out = (struct slowest_hop){.delay = SPAN_ZERO};
    if (hops->slowest < 0) {
        return;
    }
    size_t place = (size_t)hops->slowest;
    const struct hop *before = hops_before(trace, hops, place);
    bool whole = trace->more == 0 && !trace->cut;
    out->delay = hops->of[place].delta;
    text_copy(out->to, sizeof out->to,
              place < trace->count ? name_of(&trace->hops[place]) : HOP_MAILBOX);
    text_copy(out->from, sizeof out->from,
              before != NULL ? name_of(before)
              : whole        ? HOP_AGENT
                             : HOP_EARLIER);
}
