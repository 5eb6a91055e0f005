// Where on its way a probe spent its time: from hop to hop, by what each server wrote of when it
// took the probe over (probes/trace.h). Pure.
//
// A hop is stamped to the second, and when mail comes in: what a server held back shows in the
// delta of the next. So a delta lies between two stations, its own and the one before. It is the
// difference of two clocks of others, of which nothing is known: it may be negative, and is shown
// so. Its error is what the stamps leave open, a second, and for ours what our clocks do.
#ifndef MAILFLOW_CORE_HOPS_H
#define MAILFLOW_CORE_HOPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "probes/trace.h"

struct hop_delta {
    bool known; // false where the hop has no time
    struct span delta;
    struct span error;
};

// `of[i]` is from the newest station before hop i whose time is known (the first is our `sent`) to
// it; the one behind the last is from the last hop into the mailbox.
struct hops {
    struct hop_delta of[HOPS_MAXIMUM + 1];
    int slowest; // index into `of`; -1 when no delta is above its error
};

// `sent_error`: how far `sent` may be off. `arrived` none: only the hops.
void hops_measure(const struct trace *trace, struct walltime sent, struct span sent_error,
                  struct walltime arrived, struct span arrived_error, struct hops *out);

// The slowest in words: the station that it came to, and the one before. "" for none.
struct slowest_hop {
    char to[HOP_HOST_SIZE];   // HOP_MAILBOX: into the mailbox
    char from[HOP_HOST_SIZE]; // HOP_AGENT: handed over by the agent
    struct span delay;
};
#define HOP_MAILBOX "mailbox"
#define HOP_AGENT   "agent"

void hops_name_slowest(const struct trace *trace, const struct hops *hops, struct slowest_hop *out);

#endif
