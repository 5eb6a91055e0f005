// The latency of one path over a stretch of time, as a picture needs it: quantiles for each of a
// bounded number of buckets, and one mark for whatever did not come on time; a flush is one.
//
// It is gathered bucket by bucket, each from a bounded sample, so that the loop is never held
// however many probes the ledger has. In the buckets is what came on time or late: what windows
// excuse and what outages explain says nothing about the path and is marked only.
#ifndef MAILFLOW_SHELL_SMOKE_H
#define MAILFLOW_SHELL_SMOKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "core/stats.h"
#include "core/verdict.h"
#include "shell/store.h"

enum {
    SMOKE_BUCKETS_MAXIMUM = 170,
    SMOKE_SLICES = 8, // of a bucket, from each of which as many probes are taken
    SMOKE_SLICE_PROBES = 16,
    SMOKE_MARKS_MAXIMUM = 200,
};

// How far back one looks.
struct smoke_range {
    const char *name; // "24h"
    struct span length;
    struct span bucket;
};
enum { SMOKE_RANGES = 5 };
extern const struct smoke_range SMOKE_RANGE[SMOKE_RANGES];
const struct smoke_range *smoke_range_default(void);
const struct smoke_range *smoke_range_find(const char *name); // NULL when there is none

enum smoke_quantile { SMOKE_P5, SMOKE_P25, SMOKE_P50, SMOKE_P75, SMOKE_P95, SMOKE_QUANTILES };

struct smoke_bucket {
    struct walltime at;
    unsigned count; // of the probes taken; without any there are no quantiles
    struct span quantiles[SMOKE_QUANTILES];
};

// One probe, or several that one flush brought at the same instant.
struct smoke_mark {
    enum verdict verdict; // of several the worst
    struct walltime at;   // it arrived, or, where it never did, was sent
    unsigned count;
    struct walltime first_sent;
    struct walltime last_sent;
    struct span latency; // the longest; zero where it never arrived
    struct probe_id probe;
};

struct smoke {
    const char *peer; // whoever gathers keeps it
    enum direction direction;
    const struct smoke_range *range;
    struct walltime from;
    struct walltime to;
    struct smoke_bucket buckets[SMOKE_BUCKETS_MAXIMUM];
    size_t bucket_count;
    struct smoke_mark marks[SMOKE_MARKS_MAXIMUM]; // newest first
    size_t mark_count;
    unsigned troubled; // probes behind the marks
    bool more_marks;   // older ones were left out
};

void smoke_begin(struct smoke *smoke, const char *peer, enum direction direction,
                 const struct smoke_range *range, struct walltime now);

// One bucket, at last the marks; false when all is there. What cannot be read is left out.
bool smoke_gather(struct smoke *smoke, struct store *store);

// The longest and the shortest latency in it; false when there is none.
bool smoke_extent(const struct smoke *smoke, struct span *least, struct span *greatest);

#endif
