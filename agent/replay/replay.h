// A recorded ledger lived through once more by the real core, on a virtual clock, under the
// thresholds and windows of today's configuration: what would have been notified?
//
// The ledger is only read, and may be a running agent's. Nothing is sent and no network is used.
// The answer is an object like those of the agent's API:
//
//   {"from","until","since","probes","unknown_peers","windows":[{"id","server","begin","end"}],
//    "recorded":SIDE,"simulated":SIDE,"incidents":[{"kind","subject","recorded":I,"simulated":I}]}
//   SIDE = {"notified","suppressed","verdicts":{"outbound":{"on_time":N,...},"inbound":{...}}}
//   I = {"severity","opened","closed","notified","suppressed_by"}, or null
//
// Incidents are those that notified or were suppressed on either side; one of each side is the same
// when kind and subject are and their times overlap.
//
// What a ledger does not have: the revisions of a window (it is taken as it ended up, known from
// its begin), when receipts came over HTTP, and what peers said of third servers.
#ifndef MAILFLOW_REPLAY_REPLAY_H
#define MAILFLOW_REPLAY_REPLAY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/instant.h"
#include "config/config.h"

// A window that there was not, or not so.
struct replay_window {
    const char *server;
    struct walltime begin;
    struct walltime end;
};

struct replay_request {
    const char *ledger;
    const struct settings *settings;
    bool recorded_windows; // apply, too
    const struct replay_window *windows;
    size_t window_count;
    struct walltime since; // what was sent before is replayed, but not told; none for all
};

// For the caller to give back; NULL with a message when the ledger cannot be read.
json_t *replay_run(const struct replay_request *request, struct error *error);

#endif
