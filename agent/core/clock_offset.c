#include "core/clock_offset.h"

static void minima_add(struct clock_minima *minima, struct span latency)
{
    struct span *bucket = &minima->of[minima->count / CLOCK_BUCKET_SAMPLES % CLOCK_BUCKETS];
    bool first = minima->count % CLOCK_BUCKET_SAMPLES == 0;
    *bucket = first ? latency : span_shorter(*bucket, latency);
    minima->count++;
}

static struct span minima_least(const struct clock_minima *minima)
{
    struct span least = minima->of[0];
    uint32_t buckets = (minima->count + CLOCK_BUCKET_SAMPLES - 1) / CLOCK_BUCKET_SAMPLES;
    for (uint32_t i = 1; i < buckets && i < CLOCK_BUCKETS; i++) {
        least = span_shorter(least, minima->of[i]);
    }
    return least;
}

static bool both_known(const struct clock_relation *relation)
{
    return relation->ways[OUTBOUND].count > 0 && relation->ways[INBOUND].count > 0;
}

// How wide the interval is that the offset lies in; negative when the two ways contradict.
static struct span width(const struct clock_relation *relation)
{
    return span_add(minima_least(&relation->ways[INBOUND]),
                    minima_least(&relation->ways[OUTBOUND]));
}

struct span clock_relation_contradiction(const struct clock_relation *relation,
                                         enum direction direction, struct span latency)
{
    const struct clock_minima *back = &relation->ways[direction == INBOUND ? OUTBOUND : INBOUND];
    struct span room = back->count == 0 ? SPAN_ZERO : span_add(minima_least(back), latency);
    return room.ns < -CLOCK_STEP_LEAST.ns ? span_magnitude(room) : SPAN_ZERO;
}

bool clock_relation_observe(struct clock_relation *relation, enum direction direction,
                            struct span latency)
{
    minima_add(&relation->ways[direction], latency);
    struct span room = both_known(relation) ? width(relation) : SPAN_ZERO;
    if (room.ns < -CLOCK_STEP_LEAST.ns) {
        clock_relation_step(relation, room);
        minima_add(&relation->ways[direction], latency);
        return false;
    }
    if (both_known(relation)) {
        relation->step = SPAN_ZERO;
    }
    return true;
}

void clock_relation_step(struct clock_relation *relation, struct span step)
{
    *relation = (struct clock_relation){
        .step = span_longer(relation->step, span_magnitude(step)),
    };
}

struct clock_estimate clock_relation_estimate(const struct clock_relation *relation)
{
    if (!both_known(relation)) {
        return (struct clock_estimate){0};
    }
    int64_t in = minima_least(&relation->ways[INBOUND]).ns;
    int64_t out = minima_least(&relation->ways[OUTBOUND]).ns;
    return (struct clock_estimate){
        .known = true,
        .offset = {out / 2 - in / 2},
        .error = span_magnitude((struct span){out / 2 + in / 2}),
    };
}

static bool differ(const struct clock_estimate *estimate)
{
    return estimate->known && span_magnitude(estimate->offset).ns > estimate->error.ns;
}

struct span clock_relation_correction(const struct clock_relation *relation)
{
    struct clock_estimate estimate = clock_relation_estimate(relation);
    return differ(&estimate) ? estimate.offset : SPAN_ZERO;
}

struct span clock_relation_error(const struct clock_relation *relation)
{
    struct clock_estimate estimate = clock_relation_estimate(relation);
    return differ(&estimate) ? estimate.error : relation->step;
}
