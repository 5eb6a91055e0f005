#include "core/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const double FIXED_EDGES[] = {0.05, 0.1,  0.25,  0.5,   1,     2.5,    5,
                                     10,   30,   60,    120,   300,   600,    900,
                                     1800, 3600, 14400, 43200, 86400, 345600, 432000};

const struct histogram_edges LEG_EDGES = {
    .of = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
           300, 3600},
    .count = 18,
};

const char *direction_name(enum direction direction)
{
    return direction == OUTBOUND ? "outbound" : "inbound";
}

const char *leg_name(int leg)
{
    return leg == LEG_TRANSIT   ? "transit"
           : leg == LEG_VISIBLE ? "visible"
                                : submit_leg_name((enum submit_leg)leg);
}

const char *rejection_reason_name(int reason)
{
    return reason == REJECTED_UNKNOWN_PEER ? "unknown_peer"
           : reason == REJECTED_MISROUTED  ? "misrouted"
                                           : rejection_name((enum rejection)reason);
}

void histogram_edges_reset(struct histogram_edges *edges)
{
    edges->count = sizeof FIXED_EDGES / sizeof FIXED_EDGES[0];
    memcpy(edges->of, FIXED_EDGES, sizeof FIXED_EDGES);
}

// The first bucket whose edge is not below the value.
static size_t find_bucket(const struct histogram_edges *edges, double value)
{
    size_t bucket = 0;
    while (bucket < edges->count && edges->of[bucket] < value) {
        bucket++;
    }
    return bucket;
}

void histogram_edges_add(struct histogram_edges *edges, double edge)
{
    size_t place = find_bucket(edges, edge);
    bool there = place < edges->count && !(edges->of[place] > edge);
    if (there || edges->count == HISTOGRAM_EDGES_MAXIMUM) {
        return;
    }
    memmove(edges->of + place + 1, edges->of + place, (edges->count - place) * sizeof edges->of[0]);
    edges->of[place] = edge;
    edges->count++;
}

void histogram_free(struct histogram *histogram)
{
    free(histogram->buckets);
    *histogram = (struct histogram){0};
}

static void add_to_bucket(struct histogram *histogram, size_t bucket, uint64_t count)
{
    if (bucket >= histogram->room) {
        size_t room = bucket + 1;
        histogram->buckets =
            memory_checked(realloc(histogram->buckets, room * sizeof histogram->buckets[0]));
        memset(histogram->buckets + histogram->room, 0,
               (room - histogram->room) * sizeof histogram->buckets[0]);
        histogram->room = room;
    }
    histogram->buckets[bucket] += count;
}

uint64_t histogram_in_bucket(const struct histogram *histogram, size_t bucket)
{
    return bucket < histogram->room ? histogram->buckets[bucket] : 0;
}

void histogram_observe(struct histogram *histogram, const struct histogram_edges *edges,
                       double value)
{
    add_to_bucket(histogram, find_bucket(edges, value), 1);
    histogram->sum += value;
    histogram->count++;
}

void histogram_rebucket(struct histogram *histogram, const struct histogram_edges *from,
                        const struct histogram_edges *to)
{
    struct histogram moved = {
        .sum = histogram->sum, .count = histogram->count, .exemplar = histogram->exemplar};
    for (size_t i = 0; i < histogram->room; i++) {
        size_t bucket = i < from->count ? find_bucket(to, from->of[i]) : to->count;
        add_to_bucket(&moved, bucket, histogram->buckets[i]);
    }
    free(histogram->buckets);
    *histogram = moved;
}
