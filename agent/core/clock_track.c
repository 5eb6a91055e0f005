#include "core/clock_track.h"

#include <string.h>

struct span clock_drifted(struct span over, double rate)
{
    return (struct span){(int64_t)((double)over.ns * rate)};
}

bool clock_reading_take(const struct round_trip *trip, struct instant at, struct clock_reading *out)
{
    struct span there = walltime_since(trip->received, trip->requested);
    struct span back = walltime_since(trip->returned, trip->replied);
    struct span length = span_add(there, back);
    *out = (struct clock_reading){
        .at = at,
        .offset = {nanoseconds_subtract(there.ns / 2, back.ns / 2)},
        .error = {length.ns / 2 + 1},
    };
    return length.ns >= 0 && trip->replied.ns >= trip->received.ns;
}

static struct clock_rate rate_between(const struct clock_reading *older,
                                      const struct clock_reading *newer)
{
    double over = (double)instant_since(newer->at, older->at).ns;
    return (struct clock_rate){
        .of = (double)span_subtract(newer->offset, older->offset).ns / over,
        .error = (double)span_add(newer->error, older->error).ns / over,
    };
}

// By the two readings that tell it best; unknown while none tell more than what clocks are made to.
static void measure_drift(struct clock_track *track)
{
    track->drift = (struct clock_rate){0, CLOCK_DRIFT_MOST};
    for (size_t newer = 1; newer < track->count; newer++) {
        for (size_t older = 0; older < newer; older++) {
            struct clock_rate rate = rate_between(&track->readings[older], &track->readings[newer]);
            if (rate.error < track->drift.error) {
                track->drift = rate;
            }
        }
    }
}

static struct clock_estimate read_on(const struct clock_track *track,
                                     const struct clock_reading *reading, struct instant at)
{
    struct span away = instant_since(at, reading->at);
    double unsure = track->drift.error + CLOCK_WANDER;
    return (struct clock_estimate){
        .known = true,
        .offset = span_add(reading->offset, clock_drifted(away, track->drift.of)),
        .error = span_add(reading->error, clock_drifted(span_magnitude(away), unsure)),
        .drift = track->drift.of,
    };
}

struct clock_estimate clock_track_estimate(const struct clock_track *track, struct instant at)
{
    struct clock_estimate best = {0};
    for (size_t i = 0; i < track->count; i++) {
        struct clock_estimate by = read_on(track, &track->readings[i], at);
        if (!best.known || by.error.ns <= best.error.ns) {
            best = by;
        }
    }
    return best;
}

bool clock_track_is_live(const struct clock_track *track, struct instant at)
{
    return track->count > 0 && instant_since(at, track->last).ns <= CLOCK_PERIOD.ns;
}

static void add(struct clock_track *track, const struct clock_reading *reading)
{
    if (track->count == CLOCK_READINGS) {
        track->count--;
        memmove(&track->readings[0], &track->readings[1], track->count * sizeof track->readings[0]);
    }
    track->readings[track->count++] = *reading;
    track->period = reading->at;
}

// The best of the period, as each of them would have it now.
static void put_into_period(struct clock_track *track, const struct clock_reading *reading)
{
    struct clock_reading *newest = &track->readings[track->count - 1];
    if (reading->error.ns <= read_on(track, newest, reading->at).error.ns) {
        *newest = *reading;
    }
}

bool clock_track_observe(struct clock_track *track, const struct clock_reading *reading)
{
    struct clock_estimate expected = clock_track_estimate(track, reading->at);
    struct span beside = span_magnitude(span_subtract(reading->offset, expected.offset));
    bool agrees =
        !expected.known || beside.ns <= nanoseconds_add(reading->error.ns, expected.error.ns);
    if (!agrees) {
        *track = (struct clock_track){0};
    }
    if (track->count == 0 || instant_since(reading->at, track->period).ns >= CLOCK_PERIOD.ns) {
        add(track, reading);
    } else {
        put_into_period(track, reading);
    }
    track->last = reading->at;
    measure_drift(track);
    return agrees;
}
