// The connections of one listener in the order in which they were last of use (a request answered),
// so that those who only hold a place can be shown out before nobody gets in any more.
#ifndef MAILFLOW_SHELL_VISITORS_H
#define MAILFLOW_SHELL_VISITORS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "base/instant.h"

struct visitor {
    TAILQ_ENTRY(visitor) order;
    int descriptor;
    struct instant useful; // when last, or when it came
    bool leaving;          // shut down, not gone yet
};

struct visitors {
    TAILQ_HEAD(visitor_order, visitor) order; // the longest of no use first
    unsigned staying;
};

void visitors_begin(struct visitors *visitors);

struct visitor *visitors_add(struct visitors *visitors, int descriptor, struct instant now);
void visitors_remove(struct visitors *visitors, struct visitor *visitor);
void visitors_useful(struct visitors *visitors, struct visitor *visitor, struct instant now);

// Shuts down (shutdown(2)) those of no use since `since`, and the longest useless ones while more
// than `room` stay. Whoever owns the connections sees them end and removes them.
void visitors_show_out(struct visitors *visitors, unsigned room, struct instant since);

// Since when the longest useless one that stays has been so; INSTANT_NEVER when nobody stays.
struct instant visitors_useless_since(const struct visitors *visitors);

#endif
