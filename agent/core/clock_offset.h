// How a peer's clock relates to ours, from what mail shows one way and the other.
//
// A latency across two clocks is the true one plus or minus their difference, and no mail arrives
// before it was sent: with `theirs minus ours` for the offset, the shortest latency of late inbound
// is no less than -offset, and outbound no less than offset. The offset lies in
// [-shortest inbound, shortest outbound]; its middle is the estimate and half its width the error
// (after RFC 5905's round trips, but of mail, whose two ways are not one exchange). The shortest is
// that of the newest samples, for clocks drift.
//
// Where the two contradict each other, the peer's clock has stepped: all begins anew, and until
// both ways are known again every latency carries the step as its error.
#ifndef MAILFLOW_CORE_CLOCK_OFFSET_H
#define MAILFLOW_CORE_CLOCK_OFFSET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "core/stats.h"

enum { CLOCK_BUCKETS = 8, CLOCK_BUCKET_SAMPLES = 8 };

// A change of our own clock by more than this is a step.
#define CLOCK_STEP_LEAST SPAN_SECONDS(2)

struct clock_minima {
    struct span of[CLOCK_BUCKETS]; // a ring, each the shortest of so many samples
    uint32_t count;                // samples
};

struct clock_relation {
    struct clock_minima ways[DIRECTIONS];
    struct span step; // carried as error, zero when there is none
};

struct clock_estimate {
    bool known;
    struct span offset; // theirs minus ours
    struct span error;
};

// By how much such a latency contradicts what is known of the other way; zero when it does not.
struct span clock_relation_contradiction(const struct clock_relation *relation,
                                         enum direction direction, struct span latency);

// A latency as the two clocks show it. False when it contradicts what was known.
bool clock_relation_observe(struct clock_relation *relation, enum direction direction,
                            struct span latency);

// One of the two clocks has stepped by so much.
void clock_relation_step(struct clock_relation *relation, struct span step);

struct clock_estimate clock_relation_estimate(const struct clock_relation *relation);

// What is to be taken off a time of the peer's to make it one of ours: zero unless the clocks are
// known to differ; and the error that such a time has here.
struct span clock_relation_correction(const struct clock_relation *relation);
struct span clock_relation_error(const struct clock_relation *relation);

#endif
