#include "shell/visitors.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct visitor_origin {
    uint64_t address;
    unsigned visitors; // the leaving ones included
    unsigned staying;
};

void visitors_begin(struct visitors *visitors)
{
    TAILQ_INIT(&visitors->order);
    visitors->staying = 0;
}

uint64_t visitors_origin(const struct sockaddr *address)
{
    uint64_t origin = 0;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const void *)address;
        origin = four->sin_addr.s_addr;
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)address;
        memcpy(&origin, &six->sin6_addr, sizeof origin);
    }
    return origin;
}

static struct visitor_origin *enter_from(struct visitors *visitors, uint64_t address)
{
    for (const struct visitor *neighbour = TAILQ_FIRST(&visitors->order); neighbour != NULL;
         neighbour = TAILQ_NEXT(neighbour, order)) {
        if (neighbour->origin->address == address) {
            return neighbour->origin;
        }
    }
    struct visitor_origin *origin = memory_checked(calloc(1, sizeof *origin));
    origin->address = address;
    return origin;
}

struct visitor *visitors_add(struct visitors *visitors, int descriptor, uint64_t origin,
                             struct instant now)
{
    struct visitor *visitor = memory_checked(calloc(1, sizeof *visitor));
    visitor->descriptor = descriptor;
    visitor->came = visitor->useful = now;
    visitor->origin = enter_from(visitors, origin);
    visitor->origin->visitors++;
    visitor->origin->staying++;
    TAILQ_INSERT_TAIL(&visitors->order, visitor, order);
    visitors->staying++;
    return visitor;
}

static void leave(struct visitors *visitors, struct visitor *visitor)
{
    if (!visitor->leaving) {
        visitor->leaving = true;
        visitor->origin->staying--;
        visitors->staying--;
    }
}

void visitors_remove(struct visitors *visitors, struct visitor *visitor)
{
    leave(visitors, visitor);
    TAILQ_REMOVE(&visitors->order, visitor, order);
    if (--visitor->origin->visitors == 0) {
        free(visitor->origin);
    }
    free(visitor);
}

void visitors_useful(struct visitors *visitors, struct visitor *visitor, struct instant now)
{
    visitor->useful = now;
    TAILQ_REMOVE(&visitors->order, visitor, order);
    TAILQ_INSERT_TAIL(&visitors->order, visitor, order);
}

static bool may_go(const struct visitor *visitor, unsigned share)
{
    return !visitor->leaving && visitor->origin->staying > share;
}

// The longest useless that stays, has come by then, and whose origin has more than `share`; NULL
// when there is none.
static struct visitor *longest_useless(const struct visitors *visitors, unsigned share,
                                       struct instant came_by)
{
    struct visitor *visitor = TAILQ_FIRST(&visitors->order);
    while (visitor != NULL && !(may_go(visitor, share) && visitor->came.ns <= came_by.ns)) {
        visitor = TAILQ_NEXT(visitor, order);
    }
    return visitor;
}

// Likewise the one that came first: of those who are new, use tells only who was looked at first.
static struct visitor *longest_there(const struct visitors *visitors, unsigned share)
{
    struct visitor *first = NULL;
    for (struct visitor *visitor = TAILQ_FIRST(&visitors->order); visitor != NULL;
         visitor = TAILQ_NEXT(visitor, order)) {
        if (may_go(visitor, share) && (first == NULL || visitor->came.ns < first->came.ns)) {
            first = visitor;
        }
    }
    return first;
}

// Who goes first when there are too many.
static struct visitor *dispensable(const struct visitors *visitors,
                                   const struct visitors_rules *rules, struct instant now)
{
    const struct instant not_new = {now.ns - rules->new.ns};
    struct visitor *found = longest_useless(visitors, rules->share, not_new);
    found = found != NULL ? found : longest_there(visitors, rules->share);
    found = found != NULL ? found : longest_useless(visitors, 0, not_new);
    return found != NULL ? found : longest_there(visitors, 0);
}

static void show_out(struct visitors *visitors, struct visitor *visitor)
{
    shutdown(visitor->descriptor, SHUT_RDWR);
    leave(visitors, visitor);
}

void visitors_show_out(struct visitors *visitors, const struct visitors_rules *rules,
                       struct instant now)
{
    const struct instant since = {now.ns - rules->useless.ns};
    struct visitor *last;
    while ((last = longest_useless(visitors, 0, now)) != NULL && last->useful.ns <= since.ns) {
        show_out(visitors, last);
    }
    while (visitors->staying > rules->room) {
        show_out(visitors, dispensable(visitors, rules, now));
    }
}

struct instant visitors_useless_since(const struct visitors *visitors)
{
    const struct visitor *visitor = longest_useless(visitors, 0, INSTANT_NEVER);
    return visitor == NULL ? INSTANT_NEVER : visitor->useful;
}
