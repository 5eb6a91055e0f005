#include "shell/visitors.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/error.h"

void visitors_begin(struct visitors *visitors)
{
    TAILQ_INIT(&visitors->order);
    visitors->staying = 0;
}

struct visitor *visitors_add(struct visitors *visitors, int descriptor, struct instant now)
{
    struct visitor *visitor = memory_checked(calloc(1, sizeof *visitor));
    visitor->descriptor = descriptor;
    visitor->useful = now;
    TAILQ_INSERT_TAIL(&visitors->order, visitor, order);
    visitors->staying++;
    return visitor;
}

static void leave(struct visitors *visitors, struct visitor *visitor)
{
    if (!visitor->leaving) {
        visitor->leaving = true;
        visitors->staying--;
    }
}

void visitors_remove(struct visitors *visitors, struct visitor *visitor)
{
    leave(visitors, visitor);
    TAILQ_REMOVE(&visitors->order, visitor, order);
    free(visitor);
}

void visitors_useful(struct visitors *visitors, struct visitor *visitor, struct instant now)
{
    visitor->useful = now;
    TAILQ_REMOVE(&visitors->order, visitor, order);
    TAILQ_INSERT_TAIL(&visitors->order, visitor, order);
}

void visitors_show_out(struct visitors *visitors, unsigned room, struct instant since)
{
    for (struct visitor *visitor = TAILQ_FIRST(&visitors->order); visitor != NULL;
         visitor = TAILQ_NEXT(visitor, order)) {
        if (visitors->staying <= room && visitor->useful.ns > since.ns) {
            return;
        }
        if (!visitor->leaving) {
            shutdown(visitor->descriptor, SHUT_RDWR);
            leave(visitors, visitor);
        }
    }
}

struct instant visitors_useless_since(const struct visitors *visitors)
{
    const struct visitor *visitor = TAILQ_FIRST(&visitors->order);
    while (visitor != NULL && visitor->leaving) {
        visitor = TAILQ_NEXT(visitor, order);
    }
    return visitor == NULL ? INSTANT_NEVER : visitor->useful;
}
