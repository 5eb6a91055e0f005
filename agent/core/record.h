// The judged life of one probe, as the ledger keeps it. What servers said about it is evidence and
// lives in the store only.
#ifndef MAILFLOW_CORE_RECORD_H
#define MAILFLOW_CORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/probe_id.h"
#include "base/tag_codec.h"
#include "core/stats.h"
#include "core/verdict.h"

enum probe_state {
    PROBE_SENDING,
    PROBE_ACCEPTED,
    PROBE_REFUSED,
    PROBE_UNCERTAIN,
    PROBE_ARRIVED,
    PROBE_BOUNCED,
    PROBE_LOST,
    PROBE_STATES
};
const char *probe_state_name(enum probe_state state);
bool probe_state_parse(const char *name, enum probe_state *out);

struct probe_record {
    struct probe_id id;
    char peer[SERVER_NAME_SIZE];
    enum direction direction;
    enum probe_kind kind;
    enum probe_state state;
    enum verdict verdict;
    int64_t slot;
    struct span next;         // inbound: from then to the sender's next slot, as its tag says
    struct walltime planned;  // outbound: when we decided to send it
    struct walltime sent;     // none until content went out
    struct walltime accepted; // outbound, none until the first server took it over
    struct walltime arrived;  // none until it arrived
    struct span latency;
    struct span latency_error;
    struct span excused;
    int64_t incident;     // that explains it, 0 for none
    struct walltime seen; // inbound: the sender has our receipts of arrivals until then, or none
    bool rerouted;        // it arrived over another route than its path is known to take
};

#endif
