// How a peer's clock relates to ours, from all that crosses between them.
//
// A latency across two clocks is the true one plus or minus their difference, and nothing arrives
// before it was sent: with `theirs minus ours` for the offset, the shortest latency of late inbound
// is no less than -offset, and outbound no less than offset. The offset lies in
// [-shortest inbound, shortest outbound]. The shortest is that of the newest samples, each widened
// by what the clocks may have drifted since. Where agents exchange over HTTP, clock_track.h bounds
// it far closer; what both leave open is the estimate's error.
//
// Where the two ways contradict each other, a clock has stepped: all begins anew, and until both
// ways are known again every latency carries the step as its error.
#ifndef MAILFLOW_CORE_CLOCK_OFFSET_H
#define MAILFLOW_CORE_CLOCK_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "core/clock_track.h"
#include "core/stats.h"

enum { CLOCK_BUCKETS = 8, CLOCK_BUCKET_SAMPLES = 8 };

// A change of a clock by more than this is a step.
#define CLOCK_STEP_LEAST SPAN_SECONDS(2)

struct clock_minimum {
    struct span latency;
    struct instant at;
};

struct clock_minima {
    struct clock_minimum of[CLOCK_BUCKETS]; // a ring, each the shortest of so many samples
    uint32_t count;                         // samples
};

// Zeroed is one of which nothing is known.
struct clock_relation {
    struct clock_minima ways[DIRECTIONS];
    struct clock_track *track; // owned; NULL as long as there was no exchange
    struct span step;          // carried as error, zero when there is none
    struct span claimed;       // how far the two kernels say that they are off, zero unless both do
};

void clock_relation_free(struct clock_relation *relation);

// Exchanges tell of the two clocks, and soon again: mail that contradicts them was sent by another
// reading of its sender's clock, and tells nothing.
bool clock_relation_is_tracked(const struct clock_relation *relation, struct instant at);

// By how much such a latency contradicts what is known by exchanges or of the other way; zero when
// it does not.
struct span clock_relation_contradiction(const struct clock_relation *relation,
                                         enum direction direction, struct span latency,
                                         struct instant at);

// A latency as the two clocks show it. False when it contradicts what was known.
bool clock_relation_observe(struct clock_relation *relation, enum direction direction,
                            struct span latency, struct instant at);

// A round trip. False when it contradicts what was known so far that a clock has stepped.
bool clock_relation_exchanged(struct clock_relation *relation, const struct clock_reading *reading);

// One of the two clocks has stepped by so much.
void clock_relation_step(struct clock_relation *relation, struct span step);

struct clock_estimate clock_relation_estimate(const struct clock_relation *relation,
                                              struct instant at);

// What is to be taken off a time of the peer's to make it one of ours: zero unless the clocks are
// known to differ; and the error that such a time has here. As long as mail alone tells of the two
// clocks, and does not tell that they differ, they are believed as far as their kernels say.
struct span clock_relation_correction(const struct clock_relation *relation, struct instant at);
struct span clock_relation_error(const struct clock_relation *relation, struct instant at);

#endif
