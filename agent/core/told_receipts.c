#include "core/told_receipts.h"

#include <string.h>

#include "core/clock_offset.h"

static uint16_t beginning(const struct probe_id *id)
{
    uint16_t first;
    memcpy(&first, id->bytes, sizeof first);
    return first;
}

void told_receipts_remember(struct told_receipts *told, const struct probe_id *id)
{
    told->answered[told->answered_count++ % ANSWERED_KEPT] = beginning(id);
}

bool told_receipts_in_order(const struct told_receipts *told, const struct receipts *receipts,
                            struct moment now)
{
    struct span passed = instant_since(now.instant, told->at);
    struct span moved = walltime_since(receipts->as_of, told->as_of);
    return walltime_known(told->newest) && !told->behind && moved.ns >= 0 &&
           moved.ns <= span_add(passed, CLOCK_STEP_LEAST).ns;
}

bool told_receipts_is_news(const struct told_receipts *told, const struct receipt *receipt)
{
    for (size_t i = 0; i < ANSWERED_KEPT && i < told->answered_count; i++) {
        if (told->answered[i] == beginning(&receipt->id)) {
            return false;
        }
    }
    return receipt->arrived.ns > told->newest.ns;
}

void told_receipts_follow(struct told_receipts *told, const struct receipts *receipts,
                          struct moment now)
{
    told->behind = receipts->as_of.ns < told->as_of.ns;
    if (!told->behind) {
        told->as_of = receipts->as_of;
        told->at = now.instant;
    }
    for (size_t i = 0; i < receipts->count; i++) {
        told->newest = walltime_later(told->newest, receipts->items[i].arrived);
    }
}
