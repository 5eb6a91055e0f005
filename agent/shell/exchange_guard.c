#include "shell/exchange_guard.h"

#include <stdlib.h>

#include "base/error.h"

static bool is_seen(const struct exchange_guard *guard, const struct probe_id *nonce)
{
    for (size_t i = 0; i < guard->count; i++) {
        if (probe_id_equal(&guard->nonces[i].id, nonce)) {
            return true;
        }
    }
    return false;
}

// What is too old to be admitted need not be remembered.
static void forget_stale(struct exchange_guard *guard, struct walltime now)
{
    size_t kept = 0;
    for (size_t i = 0; i < guard->count; i++) {
        if (walltime_since(now, guard->nonces[i].time).ns <= EXCHANGE_FRESHNESS.ns) {
            guard->nonces[kept++] = guard->nonces[i];
        }
    }
    guard->count = kept;
}

static void forget_oldest(struct exchange_guard *guard)
{
    size_t oldest = 0;
    for (size_t i = 1; i < guard->count; i++) {
        if (guard->nonces[i].time.ns < guard->nonces[oldest].time.ns) {
            oldest = i;
        }
    }
    guard->floor = walltime_later(guard->floor, guard->nonces[oldest].time);
    guard->nonces[oldest] = guard->nonces[--guard->count];
}

static void remember(struct exchange_guard *guard, const struct probe_id *nonce,
                     struct walltime time)
{
    if (guard->count == NONCES_MAXIMUM) {
        forget_oldest(guard);
    }
    if (guard->count == guard->room) {
        guard->room = guard->room == 0 ? 16 : guard->room * 2;
        guard->nonces = memory_checked(realloc(guard->nonces, guard->room * sizeof *guard->nonces));
    }
    guard->nonces[guard->count++] = (struct nonce){*nonce, time};
}

enum exchange_freshness exchange_guard_admit(struct exchange_guard *guard,
                                             const struct probe_id *nonce, struct walltime time,
                                             struct walltime now)
{
    int64_t off = walltime_since(now, time).ns;
    if (off > EXCHANGE_FRESHNESS.ns || off < -EXCHANGE_FRESHNESS.ns) {
        return EXCHANGE_GUARD_STALE;
    }
    forget_stale(guard, now);
    if (is_seen(guard, nonce)) {
        return EXCHANGE_GUARD_REPLAYED;
    }
    if (time.ns <= guard->floor.ns) {
        return EXCHANGE_GUARD_STALE;
    }
    remember(guard, nonce, time);
    return EXCHANGE_GUARD_FRESH;
}

void exchange_guard_free(struct exchange_guard *guard)
{
    free(guard->nonces);
    *guard = (struct exchange_guard){.floor = guard->floor};
}
