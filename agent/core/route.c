#include "core/route.h"

#include <string.h>

static bool contains(const struct routes *routes, const char *route)
{
    for (size_t i = 0; i < routes->count; i++) {
        if (strcmp(routes->of[i], route) == 0) {
            return true;
        }
    }
    return false;
}

// False when there is no room for one more.
static bool add(struct routes *routes, const char *route)
{
    if (contains(routes, route)) {
        return true;
    }
    if (routes->count == ROUTES_LEARNED) {
        return false;
    }
    memcpy(routes->of[routes->count++], route, strlen(route) + 1);
    return true;
}

bool route_knows(const struct route_memory *memory)
{
    return memory->learned >= ROUTE_LEARNING;
}

static void learn(struct route_memory *memory, const char *route)
{
    if (!add(&memory->fresh, route)) {
        memory->fresh.count = 0;
        memory->learned = 0;
        add(&memory->fresh, route);
    }
    if (++memory->learned >= ROUTE_LEARNING) {
        route_accept(memory);
    }
}

// True when the row is now this long.
static bool count_row(unsigned *row, unsigned length)
{
    return *row < ROUTE_COUNTED && ++*row == length;
}

static struct route_step note_usual(struct route_memory *memory)
{
    memory->strange = memory->expected = 0;
    count_row(&memory->usual, ROUTE_COUNTED);
    memory->fresh.count = 0;
    return (struct route_step){false, false};
}

struct route_step route_note(struct route_memory *memory, const char *route, unsigned after,
                             bool window)
{
    if (!route_knows(memory)) {
        if (!window) {
            learn(memory, route);
        }
        return (struct route_step){false, false};
    }
    if (contains(&memory->known, route)) {
        return note_usual(memory);
    }
    memory->usual = 0;
    if (window) {
        memory->strange = 0;
        return (struct route_step){true, count_row(&memory->expected, after)};
    }
    memory->expected = 0;
    if (!add(&memory->fresh, route)) { // the newest is one of what it may become
        memcpy(memory->fresh.of[ROUTES_LEARNED - 1], route, strlen(route) + 1);
    }
    return (struct route_step){true, count_row(&memory->strange, after)};
}

void route_accept(struct route_memory *memory)
{
    if (memory->fresh.count > 0) {
        memory->known = memory->fresh;
        memory->fresh.count = 0;
        memory->learned = ROUTE_LEARNING;
    }
    route_restart(memory);
}

void route_restart(struct route_memory *memory)
{
    memory->strange = memory->usual = memory->expected = 0;
}
