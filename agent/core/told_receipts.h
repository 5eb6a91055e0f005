// How far a peer has come with telling what of ours has arrived: by it we tell a receipt for a
// probe that was never sent from one that is merely told again. Receipts are repeated until the
// peer knows that we have them, and a clock that is set gives them later times; what may be either
// is no lie.
#ifndef MAILFLOW_CORE_TOLD_RECEIPTS_H
#define MAILFLOW_CORE_TOLD_RECEIPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/receipt.h"

enum { ANSWERED_KEPT = 64 };

// Of this run, but for `answered`. Walltimes are the peer's.
struct told_receipts {
    struct walltime as_of;  // the latest ...
    struct instant at;      // ... and when it was told
    struct walltime newest; // arrival
    bool behind;            // what it told last was older: late mail, or its clock was put back
    uint16_t answered[ANSWERED_KEPT]; // a ring of the first bytes of ids: one in 1000 may be taken
                                      // for another
    uint32_t answered_count;
};

// A probe of ours is known to have arrived.
void told_receipts_remember(struct told_receipts *told, const struct probe_id *id);

// The list tells for the first time what is later than all before: nobody's clock was set
// meanwhile.
bool told_receipts_in_order(const struct told_receipts *told, const struct receipts *receipts,
                            struct moment now);

// In such a list: told for the first time, so it must be of a probe under way.
bool told_receipts_is_news(const struct told_receipts *told, const struct receipt *receipt);

// The list has been taken.
void told_receipts_follow(struct told_receipts *told, const struct receipts *receipts,
                          struct moment now);

#endif
