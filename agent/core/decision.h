// The newest resolved probes of one path, and what they say together: whether the path is slow, how
// many in a row were on time, and the median for the status table.
//
// A decision is an arrival judged on_time or late. Late probes that arrived within COHORT_SPAN of
// the first of them are one flush, hence one decision. Excused and drained ones are kept for the
// picture and decide nothing.
#ifndef MAILFLOW_CORE_DECISION_H
#define MAILFLOW_CORE_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "core/verdict.h"

enum { DECISIONS_KEPT = 64, DECISIONS_KEPT_LEAST = 16 };
#define COHORT_SPAN  SPAN_SECONDS(5)
#define COARSE_ERROR SPAN_MS(50)

// There may be half a million: 16 bytes each.
struct decision {
    uint64_t arrived : 56; // microseconds
    enum verdict verdict : 6;
    bool coarse : 1; // the error is more than COARSE_ERROR and more than half of the latency
    bool counts : 1; // decides: on_time or late, and since the last restart of the count
    float latency;   // seconds; the page and the median need no more digits
    float residual;  // seconds
};

struct walltime decision_arrived(const struct decision *decision);

struct decisions {
    struct decision *ring; // owned; grows as they come
    uint32_t count;        // all ever; the newest is ring[(count - 1) % room]
    uint16_t room;
    uint16_t kept; // at most, 0 for DECISIONS_KEPT
};

// How many a path keeps: DECISIONS_KEPT, or fewer where there are so many peers that they, and the
// time that it takes to restore them, would weigh; never fewer than what `slow` looks at.
uint16_t decisions_kept(size_t peers, unsigned looked_at);

// From here on so many are kept, of those that are there the newest.
void decisions_keep(struct decisions *decisions, uint16_t kept);
void decisions_free(struct decisions *decisions);

// `place` 0 is the newest; NULL past the oldest kept.
const struct decision *decisions_get(const struct decisions *decisions, size_t place);

void decisions_add(struct decisions *decisions, struct walltime arrived, struct span latency,
                   struct span error, struct span residual, enum verdict verdict);

// How many of the last `of` decisions have a residual above the threshold.
unsigned decisions_above(const struct decisions *decisions, unsigned of, struct span threshold);

// How many decisions in a row, newest first, were on time and arrived after this.
unsigned decisions_on_time_since(const struct decisions *decisions, struct walltime after);

// From here on earlier decisions count no more (an incident closed, a window ended).
void decisions_restart(struct decisions *decisions);

// The clock that they arrived by has stepped: puts them into its new reading.
void decisions_step(struct decisions *decisions, struct span step);

// Median latency in seconds of what is kept, negative when nothing is. Excused and drained probes,
// then coarse figures (an arrival seen half a second late, say) are left out as long as there are
// others.
double decisions_median(const struct decisions *decisions);

#endif
