#include "base/rendezvous.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/random.h"

uint64_t rendezvous_hash(const char *name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; *name != '\0'; name++) {
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001B3);
    }
    return random_mix(hash);
}

uint64_t rendezvous_score(uint64_t watcher, uint64_t watched)
{
    return random_mix(watcher + random_mix(watched));
}

// Whether fewer than `fanout` others score higher: those are looked for only until there are so
// many, which is soon for most.
static bool watches(const uint64_t *hashes, size_t count, size_t watcher, size_t watched,
                    unsigned fanout)
{
    const uint64_t own = rendezvous_score(hashes[watcher], hashes[watched]);
    const uint64_t salt = random_mix(hashes[watched]);
    unsigned higher = 0;
    for (size_t i = 0; i < count && higher < fanout; i++) {
        higher += i != watched && random_mix(hashes[i] + salt) > own ? 1 : 0;
    }
    return higher < fanout;
}

static int compare_falling(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a > b ? -1 : a < b ? 1 : 0;
}

// The least score for `self` that is among the highest. There are more others than `fanout`.
static uint64_t least_of_highest(const uint64_t *hashes, size_t count, size_t self, unsigned fanout)
{
    uint64_t *scores = memory_checked(malloc(count * sizeof *scores));
    size_t others = 0;
    for (size_t i = 0; i < count; i++) {
        if (i != self) {
            scores[others++] = rendezvous_score(hashes[i], hashes[self]);
        }
    }
    qsort(scores, others, sizeof *scores, compare_falling);
    uint64_t least = scores[fanout - 1];
    free(scores);
    return least;
}

void rendezvous_bind(const uint64_t *hashes, size_t count, size_t self, unsigned fanout,
                     uint8_t *bonds)
{
    if (fanout == 0 || count <= fanout + (size_t)1) {
        memset(bonds, BOND_WATCHED | BOND_WATCHER, count);
        bonds[self] = 0;
        return;
    }
    uint64_t least = least_of_highest(hashes, count, self, fanout);
    for (size_t i = 0; i < count; i++) {
        bool watcher = rendezvous_score(hashes[i], hashes[self]) >= least;
        bonds[i] = (uint8_t)((watcher ? BOND_WATCHER : 0) |
                             (watches(hashes, count, self, i, fanout) ? BOND_WATCHED : 0));
    }
    bonds[self] = 0;
}
