// What waits while a server is in maintenance or out of order, and how it comes: counted by the
// sender, from the beginning of a window or of an outage until the last of it has come, is lost, or
// recovery is over. Then it is said in one line; what is still in flight is `stuck`.
#ifndef MAILFLOW_CORE_DRAIN_H
#define MAILFLOW_CORE_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "core/window.h"

struct core;
struct incident;
struct probe_record;

struct drain {
    bool open;
    struct walltime from;
    struct walltime until; // what was sent before it waited; none while the cause lasts
    char window[WINDOW_ID_SIZE];
    int64_t incident;
    unsigned arrived;
    unsigned lost;
    struct span longest;
};

// `peer` is a server, OWN_SERVER for ours.
void drain_begin_window(struct core *core, int peer, const struct window *window);
void drain_begin_outage(struct core *core, int peer, const struct incident *incident);

// A window has ended or an outage closed: it is over unless another goes on.
void drain_settle(struct core *core, int peer, struct moment now);

// The fate of a probe of ours on a path of the peer.
void drain_arrived(struct core *core, int peer, const struct probe_record *record,
                   struct moment now);
void drain_lost(struct core *core, int peer, struct walltime sent, struct moment now);

// Says it when it is complete. What is still in flight when recovery is over opens `stuck`.
void drain_check(struct core *core, int peer, struct moment now);

// An outage of an earlier run that is over: what it held up may still come.
void drain_restore_outage(struct core *core, const struct incident *incident);

// At the start: goes on with what an earlier run has not said.
void drain_restore(struct core *core, struct moment now);

#endif
