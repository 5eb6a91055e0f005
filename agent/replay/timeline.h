// What a ledger recorded, as a sequence of happenings in the order in which the agent lived through
// them: the outcome of a submission after its probe was planned, an arrival when it was seen, the
// peer's receipts with the first probe of its own that it sent after them.
//
// The ledger does not say when the agent was not running. A stretch without a sign of it, after
// which the slots of a path have jumped, is taken for one. It does not say either when receipts
// came over HTTP: here they come by mail, and as_of is the time at which the peer's probe was sent.
// It ends with the last probe: windows that begin later are left out.
#ifndef MAILFLOW_REPLAY_TIMELINE_H
#define MAILFLOW_REPLAY_TIMELINE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/receipt.h"
#include "config/config.h"
#include "shell/store_recorded.h"

enum happening_kind {
    HAPPENING_SENDING,   // the probe was given to a submit worker
    HAPPENING_SUBMITTED, // and this is what came of it
    HAPPENING_ARRIVED,   // a probe lay in a mailbox
    HAPPENING_BOUNCED,   // or a server reported that it failed
    HAPPENING_WINDOW,    // a window began
    HAPPENING_READABLE,  // a mailbox could be read again ...
    HAPPENING_UNREADABLE // ... or no more
};

struct happening {
    enum happening_kind kind;
    struct walltime at;
    bool after_gap; // the agent had not been running
    int peer;       // sending, submitted, arrived, bounced
    int mailbox;    // arrived, readable, unreadable
    struct recorded_probe probe;
    const struct receipts *receipts; // arrived: what it carried, NULL for none
    const struct window *window;
};

struct timeline;

// The ledger and the settings must outlive the timeline.
struct timeline *timeline_create(struct store_recorded *recorded, const struct settings *settings);
void timeline_destroy(struct timeline *timeline);

// Beside the probes: before the first timeline_next. The window must outlive the timeline.
void timeline_add_window(struct timeline *timeline, const struct window *window);
void timeline_add_blindness(struct timeline *timeline, int mailbox, struct walltime from,
                            struct walltime until);

// The next happening, NULL after the last; valid until the next call. False when the ledger could
// not be read.
bool timeline_next(struct timeline *timeline, const struct happening **out, struct error *error);

// Probes of peers that the settings do not have, left out.
uint64_t timeline_strangers(const struct timeline *timeline);

#endif
