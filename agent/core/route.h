// The routes that a path is known to take, and whether a probe took another. Pure.
//
// Learning: the routes of the first ROUTE_LEARNING probes, if there are not more than
// ROUTES_LEARNED of them: relays that share the load, or two mail exchangers that take turns, are
// no change. With one more the count begins anew, so that of a path that never comes the same way
// twice nothing is ever said. Probes whose life a window touches are not learned from.
//
// A change: so many probes in a row over none of the known routes. It is over when so many in a row
// have come over a known one, or when it is accepted, a day later: then what was seen since is what
// the path is known to take, and the routes before are forgotten. An operator hears of each of
// these once.
//
// While a window of either end is active, or settles, another route is expected: three in a row
// are counted and told at info, nothing opens, nothing is learned. What was sent after it has to
// come as it used to.
#ifndef MAILFLOW_CORE_ROUTE_H
#define MAILFLOW_CORE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/trace.h"

// Rows are counted up to ROUTE_COUNTED, the most that a configuration asks for, so that a path on
// which nothing changes has nothing to write.
enum { ROUTES_LEARNED = 4, ROUTE_LEARNING = 10, ROUTE_COUNTED = 64 };

// As trace_route has them.
struct routes {
    char of[ROUTES_LEARNED][ROUTE_SIZE];
    size_t count;
};

struct route_memory {
    struct routes known;
    struct routes fresh; // while it learns: seen so far; later: seen since the last known one
    unsigned learned;    // probes that it has learned from; ROUTE_LEARNING when it knows
    unsigned strange;    // probes in a row over none of the known routes
    unsigned usual;      // likewise over a known one
    unsigned expected;   // likewise over none, within a window
};

struct route_step {
    bool strange; // it came over none of the known routes
    bool changed; // and so did those before it, for the first time so many
};

bool route_knows(const struct route_memory *memory);

// An arrival over this route. `after`: so many in a row are a change; `window`: its life touches
// one.
struct route_step route_note(struct route_memory *memory, const char *route, unsigned after,
                             bool window);

// What has been seen since is what the path takes now.
void route_accept(struct route_memory *memory);

// The count begins anew: an incident has closed.
void route_restart(struct route_memory *memory);

#endif
