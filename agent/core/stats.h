// What has been counted since the agent started: the numbers behind /metrics. Counters only grow;
// everything is exported from zero.
#ifndef MAILFLOW_CORE_STATS_H
#define MAILFLOW_CORE_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/probe_id.h"
#include "core/verdict.h"
#include "probes/probe.h"

enum direction { OUTBOUND, INBOUND, DIRECTIONS };
const char *direction_name(enum direction direction);

enum { HISTOGRAM_EDGES_MAXIMUM = 40 };

// Upper edges of the latency histogram in seconds, ascending: the fixed ones and every threshold in
// use. One set for all paths, so that they can be summed.
struct histogram_edges {
    double of[HISTOGRAM_EDGES_MAXIMUM];
    size_t count;
};

void histogram_edges_reset(struct histogram_edges *edges);

// Adds an edge unless it is there or there is no more room.
void histogram_edges_add(struct histogram_edges *edges, double edge);

// The legs of a probe's way begin below a millisecond, so they have edges of their own.
extern const struct histogram_edges LEG_EDGES;

// The newest observation that a probe made: from a bar of the picture to one probe's life.
struct exemplar {
    struct probe_id probe;
    double value;
    struct walltime at; // none: there is none yet
};

// There may be 20,000 of them, of quick latencies mostly. Zeroed is one without observations.
struct histogram {
    uint64_t *buckets; // owned; not cumulative, up to the highest that has anything in it
    size_t room;
    double sum;
    uint64_t count;
    struct exemplar exemplar;
};

void histogram_free(struct histogram *histogram);

void histogram_observe(struct histogram *histogram, const struct histogram_edges *edges,
                       double value);

// How many lie above the edge before this one, and not above it; after the last edge is +Inf.
uint64_t histogram_in_bucket(const struct histogram *histogram, size_t bucket);

// Moves the counts to other edges. An observation keeps its upper bound or gets the next wider one.
void histogram_rebucket(struct histogram *histogram, const struct histogram_edges *from,
                        const struct histogram_edges *to);

// Beside the submission's legs: transit (message data handed over to arrived) and visible (how long
// the arrival may have lain in the mailbox before it was seen).
enum { LEG_TRANSIT = SUBMIT_LEGS, LEG_VISIBLE, LEGS };
const char *leg_name(int leg);

// What a server's report of a probe of ours came to.
enum bounce_fate {
    BOUNCE_FATE_BOUNCED,   // it failed, and was in flight
    BOUNCE_FATE_DELAYED,   // it is in flight still
    BOUNCE_FATE_STALE,     // its fate was known, or nothing is known of it any more
    BOUNCE_FATE_DELIVERED, // it was delivered, or handed on: arrivals say that better
    BOUNCE_FATES
};
const char *bounce_fate_name(enum bounce_fate fate);

// A probe a second fills 32 bits in 136 years.
struct peer_stats {
    uint32_t sent;
    uint32_t send_failures;
    uint32_t sends_uncertain;
    uint32_t slots_missed;
    uint32_t received;
    uint32_t duplicates;
    uint32_t loops;              // probes of ours to it that came back to a mailbox of ours
    uint32_t arrived_after_loss; // had been counted as lost, and are not counted again
    uint32_t receipts_unknown;   // for probes that we have not sent
    uint32_t bounces[BOUNCE_FATES];
    uint32_t route_changes; // three in a row came another way, whether said or not
    uint32_t misplaced;     // arrived in another folder than the first
    uint32_t replies[REPLY_CLASSES];
    uint32_t resolved[DIRECTIONS][VERDICTS];
    struct histogram latency[DIRECTIONS];
};

enum { REJECTED_UNKNOWN_PEER = REJECTIONS, REJECTED_MISROUTED, REJECTION_REASONS };
const char *rejection_reason_name(int reason);

struct agent_stats {
    uint64_t rejected[REJECTION_REASONS];
    uint64_t negative_latencies;
    uint64_t windows_refused; // that peers announce and nobody should keep
    struct histogram legs[LEGS];
    struct histogram slips; // how late slots of the cadence came; with LEG_EDGES
};

#endif
