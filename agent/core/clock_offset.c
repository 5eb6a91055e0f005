#include "core/clock_offset.h"

#include <stdlib.h>

#include "base/error.h"

void clock_relation_free(struct clock_relation *relation)
{
    free(relation->track);
    *relation = (struct clock_relation){0};
}

static struct span widened(const struct clock_minimum *minimum, struct instant at)
{
    struct span age = span_longer(instant_since(at, minimum->at), SPAN_ZERO);
    return span_add(minimum->latency, clock_drifted(age, CLOCK_DRIFT_MOST));
}

static void minima_add(struct clock_minima *minima, struct span latency, struct instant at)
{
    struct clock_minimum *bucket =
        &minima->of[minima->count / CLOCK_BUCKET_SAMPLES % CLOCK_BUCKETS];
    bool first = minima->count % CLOCK_BUCKET_SAMPLES == 0;
    if (first || latency.ns <= widened(bucket, at).ns) {
        *bucket = (struct clock_minimum){latency, at};
    }
    minima->count++;
}

static struct span minima_least(const struct clock_minima *minima, struct instant at)
{
    struct span least = widened(&minima->of[0], at);
    uint32_t buckets = (minima->count + CLOCK_BUCKET_SAMPLES - 1) / CLOCK_BUCKET_SAMPLES;
    for (uint32_t i = 1; i < buckets && i < CLOCK_BUCKETS; i++) {
        least = span_shorter(least, widened(&minima->of[i], at));
    }
    return least;
}

static bool both_known(const struct clock_relation *relation)
{
    return relation->ways[OUTBOUND].count > 0 && relation->ways[INBOUND].count > 0;
}

// How wide the interval is that the offset lies in; negative when the two ways contradict.
static struct span width(const struct clock_relation *relation, struct instant at)
{
    return span_add(minima_least(&relation->ways[INBOUND], at),
                    minima_least(&relation->ways[OUTBOUND], at));
}

bool clock_relation_is_tracked(const struct clock_relation *relation, struct instant at)
{
    return relation->track != NULL && clock_track_is_live(relation->track, at);
}

static struct clock_estimate estimate_by_track(const struct clock_relation *relation,
                                               struct instant at)
{
    if (relation->track == NULL) {
        return (struct clock_estimate){.known = false};
    }
    return clock_track_estimate(relation->track, at);
}

// The least that the latency may be, the clocks' difference taken off.
static struct span least_by_track(const struct clock_relation *relation, enum direction direction,
                                  struct span latency, struct instant at)
{
    struct clock_estimate clock = estimate_by_track(relation, at);
    struct span true_latency = direction == INBOUND ? span_add(latency, clock.offset)
                                                    : span_subtract(latency, clock.offset);
    return span_add(true_latency, clock.error);
}

struct span clock_relation_contradiction(const struct clock_relation *relation,
                                         enum direction direction, struct span latency,
                                         struct instant at)
{
    const struct clock_minima *back = &relation->ways[direction == INBOUND ? OUTBOUND : INBOUND];
    struct span room = clock_relation_is_tracked(relation, at)
                           ? least_by_track(relation, direction, latency, at)
                       : back->count == 0 ? SPAN_ZERO
                                          : span_add(minima_least(back, at), latency);
    return room.ns < -CLOCK_STEP_LEAST.ns ? span_magnitude(room) : SPAN_ZERO;
}

bool clock_relation_observe(struct clock_relation *relation, enum direction direction,
                            struct span latency, struct instant at)
{
    minima_add(&relation->ways[direction], latency, at);
    struct span room = both_known(relation) ? width(relation, at) : SPAN_ZERO;
    if (room.ns < -CLOCK_STEP_LEAST.ns) {
        clock_relation_step(relation, room);
        minima_add(&relation->ways[direction], latency, at);
        return false;
    }
    if (both_known(relation)) {
        relation->step = SPAN_ZERO;
    }
    return true;
}

bool clock_relation_exchanged(struct clock_relation *relation, const struct clock_reading *reading)
{
    struct clock_estimate before = clock_relation_estimate(relation, reading->at);
    struct span beside = span_magnitude(span_subtract(reading->offset, before.offset));
    struct span open = span_add(span_add(before.error, reading->error), CLOCK_STEP_LEAST);
    bool stepped = before.known && beside.ns > open.ns;
    if (stepped) {
        clock_relation_step(relation, beside);
    }
    if (relation->track == NULL) {
        relation->track = memory_checked(calloc(1, sizeof *relation->track));
    }
    clock_track_observe(relation->track, reading);
    relation->step = SPAN_ZERO;
    return !stepped;
}

void clock_relation_step(struct clock_relation *relation, struct span step)
{
    free(relation->track);
    relation->track = NULL;
    relation->ways[OUTBOUND].count = relation->ways[INBOUND].count = 0;
    relation->step = span_longer(relation->step, span_magnitude(step));
}

static struct clock_estimate estimate_between(int64_t low, int64_t high)
{
    return (struct clock_estimate){
        .known = true,
        .offset = {nanoseconds_add(high / 2, low / 2)},
        .error = span_magnitude((struct span){nanoseconds_subtract(high / 2, low / 2)}),
    };
}

static struct clock_estimate estimate_by_mail(const struct clock_relation *relation,
                                              struct instant at)
{
    return estimate_between(span_subtract(SPAN_ZERO, minima_least(&relation->ways[INBOUND], at)).ns,
                            minima_least(&relation->ways[OUTBOUND], at).ns);
}

// What both leave open; where they contradict each other, a round trip is the younger and the
// closer one.
static struct clock_estimate intersect(const struct clock_estimate *track,
                                       const struct clock_estimate *mail)
{
    struct span low = span_longer(span_subtract(track->offset, track->error),
                                  span_subtract(mail->offset, mail->error));
    struct span high =
        span_shorter(span_add(track->offset, track->error), span_add(mail->offset, mail->error));
    if (low.ns > high.ns) {
        return *track;
    }
    struct clock_estimate both = estimate_between(low.ns, high.ns);
    both.drift = track->drift;
    return both;
}

struct clock_estimate clock_relation_estimate(const struct clock_relation *relation,
                                              struct instant at)
{
    struct clock_estimate track = estimate_by_track(relation, at);
    if (!both_known(relation)) {
        return track;
    }
    struct clock_estimate mail = estimate_by_mail(relation, at);
    return track.known ? intersect(&track, &mail) : mail;
}

static bool differ(const struct clock_estimate *estimate)
{
    return estimate->known && span_magnitude(estimate->offset).ns > estimate->error.ns;
}

struct span clock_relation_correction(const struct clock_relation *relation, struct instant at)
{
    struct clock_estimate estimate = clock_relation_estimate(relation, at);
    return differ(&estimate) ? estimate.offset : SPAN_ZERO;
}

struct span clock_relation_error(const struct clock_relation *relation, struct instant at)
{
    struct clock_estimate estimate = clock_relation_estimate(relation, at);
    if (!estimate.known) {
        return relation->step;
    }
    if (differ(&estimate)) {
        return estimate.error;
    }
    struct span open = span_add(span_magnitude(estimate.offset), estimate.error);
    if (relation->claimed.ns > 0 || relation->track == NULL) {
        open = span_shorter(open, relation->claimed);
    }
    return span_longer(relation->step, open);
}
