// The probes of one outbound path that are in flight: handed over (or perhaps handed over), fate
// not yet known. Ordered by sent; 24 bytes each, for half a million of them must fit.
#ifndef MAILFLOW_CORE_FLIGHT_H
#define MAILFLOW_CORE_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "base/probe_id.h"

// A probe that was perhaps never handed over is uncertain, and nobody waits for it. That is told by
// the last bit of `sent`, whose nanosecond nobody misses.
struct flight {
    struct walltime sent;
    struct probe_id id;
};

bool flight_uncertain(const struct flight *flight);
void flight_mark(struct flight *flight, bool uncertain);

struct flights {
    struct flight *items; // oldest first
    size_t count;
    size_t room;
};

void flights_free(struct flights *flights);

// Adds one that is not among them, keeping the order by sent, and returns it, to be marked. That it
// is new is for the caller to know: to look for each would double the time of a start.
struct flight *flights_add(struct flights *flights, const struct probe_id *id,
                           struct walltime sent);

// The place of a probe, or -1.
ptrdiff_t flights_find(const struct flights *flights, const struct probe_id *id);

void flights_remove(struct flights *flights, size_t place);

#endif
