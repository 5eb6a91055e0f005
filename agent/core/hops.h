// Where on its way a probe spent its time: from hop to hop, by what each server wrote of when it
// took the probe over (probes/trace.h). Pure.
//
// A hop is stamped to the second, and when mail comes in: what a server held back shows in the
// delta of the next. So a delta lies between two stations, its own and the one before. It is the
// difference of two clocks of others, of which nothing is known: it may be negative, and is shown
// so. Its error is what the stamps leave open, a second, for ours what our clocks do, and what the
// other stamps of the same way dispute.
//
// A stamp that does not lie within the probe's life is not believed: it is shown, with an error
// that leaves all open, and the next delta is measured from the one before it. Of stamps within it
// that run backwards nobody can say which is wrong: of a delta only that part counts which lies
// behind all that were made before and before all that were made behind. A clock that is off by
// less than that shows in nothing.
#ifndef MAILFLOW_CORE_HOPS_H
#define MAILFLOW_CORE_HOPS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "probes/trace.h"

struct hop_delta {
    bool known;    // false where the hop has no time
    bool believed; // its stamp can be right
    struct span delta;
    struct span error;
    size_t from; // where it is measured from: 0 our `sent`, else one more than a hop's index
};

// `of[i]` is from the newest station before hop i that is believed (the first is our `sent`) to it;
// the one behind the last is from the last hop into the mailbox.
struct hops {
    struct hop_delta of[HOPS_MAXIMUM + 1];
    int slowest; // index into `of`, by what is undisputed; -1 when no delta is above its error
};

// `sent_error`: how far `sent` may be off. `arrived` none: only the hops.
void hops_measure(const struct trace *trace, struct walltime sent, struct span sent_error,
                  struct walltime arrived, struct span arrived_error, struct hops *out);

// The slowest in words: the station that it came to, and the one before. "" for none.
struct slowest_hop {
    char to[HOP_HOST_SIZE];   // HOP_MAILBOX: into the mailbox
    char from[HOP_HOST_SIZE]; // HOP_AGENT: handed over by the agent; HOP_EARLIER: not known which
    struct span delay;
};
#define HOP_MAILBOX "mailbox"
#define HOP_AGENT   "agent"
#define HOP_EARLIER "an earlier hop"

// The hop that this delta is measured from; NULL for our `sent`.
const struct hop *hops_before(const struct trace *trace, const struct hops *hops, size_t place);

void hops_name_slowest(const struct trace *trace, const struct hops *hops, struct slowest_hop *out);

#endif
