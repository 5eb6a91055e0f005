#include "core/kept_habits.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct kept_habits {
    struct auth_memory auth;
    struct placement placement;
    unsigned learned;
    unsigned strange;
    unsigned usual;
    unsigned expected;
    size_t known; // so many of the routes, then the fresh ones
    size_t fresh;
    char routes[]; // each with its NUL
};

static const char *read_routes(const char *from, size_t count, struct routes *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(from) + 1;
        memcpy(out->of[i], from, size);
        from += size;
    }
    out->count = count;
    return from;
}

bool kept_habits_get(const struct kept_habits *kept, struct habits *out)
{
    *out = (struct habits){0};
    if (kept == NULL) {
        return false;
    }
    out->auth = kept->auth;
    out->placement = kept->placement;
    out->route.learned = kept->learned;
    out->route.strange = kept->strange;
    out->route.usual = kept->usual;
    out->route.expected = kept->expected;
    read_routes(read_routes(kept->routes, kept->known, &out->route.known), kept->fresh,
                &out->route.fresh);
    return true;
}

static size_t routes_size(const struct routes *routes)
{
    size_t size = 0;
    for (size_t i = 0; i < routes->count; i++) {
        size += strlen(routes->of[i]) + 1;
    }
    return size;
}

static char *write_routes(char *to, const struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        size_t size = strlen(routes->of[i]) + 1;
        memcpy(to, routes->of[i], size);
        to += size;
    }
    return to;
}

void kept_habits_put(struct kept_habits **place, const struct habits *habits)
{
    const struct route_memory *route = &habits->route;
    size_t size = sizeof **place + routes_size(&route->known) + routes_size(&route->fresh);
    struct kept_habits *kept = memory_checked(realloc(*place, size));
    *kept = (struct kept_habits){
        .auth = habits->auth,
        .placement = habits->placement,
        .learned = route->learned,
        .strange = route->strange,
        .usual = route->usual,
        .expected = route->expected,
        .known = route->known.count,
        .fresh = route->fresh.count,
    };
    write_routes(write_routes(kept->routes, &route->known), &route->fresh);
    *place = kept;
}
