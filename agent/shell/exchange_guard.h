// Whether a peer's signed request is fresh: made at about this time, and not seen before.
//
// Remembered are the nonces of what would still count as fresh. When they are too many, the oldest
// is forgotten and nothing as old is admitted any more: memory is bounded, and no replay gets in.
#ifndef MAILFLOW_SHELL_EXCHANGE_GUARD_H
#define MAILFLOW_SHELL_EXCHANGE_GUARD_H

#include <stddef.h>

#include "base/instant.h"
#include "base/probe_id.h"
#include "probes/exchange.h"

enum { NONCES_MAXIMUM = 256 };

struct nonce {
    struct probe_id id;
    struct walltime time;
};

struct exchange_guard {
    struct nonce *nonces; // owned, in no order
    size_t count;
    size_t room;
    struct walltime floor; // what was made at this time or before is not admitted
};

enum exchange_freshness { EXCHANGE_GUARD_FRESH, EXCHANGE_GUARD_STALE, EXCHANGE_GUARD_REPLAYED };

// Admits it at most once. `floor` of a new guard is the agent's start: what it saw before is not
// known any more.
enum exchange_freshness exchange_guard_admit(struct exchange_guard *guard,
                                             const struct probe_id *nonce, struct walltime time,
                                             struct walltime now);

void exchange_guard_free(struct exchange_guard *guard);

#endif
