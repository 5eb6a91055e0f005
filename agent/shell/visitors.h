// The connections of one listener in the order in which they were last of use (something answered),
// so that those who only hold a place can be shown out before nobody gets in any more.
//
// Each comes from somewhere, its origin. While somebody has to go, those origins that hold more
// than their share of the places make room first: whoever comes from one address cannot drive out
// those who come from others.
#ifndef MAILFLOW_SHELL_VISITORS_H
#define MAILFLOW_SHELL_VISITORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/instant.h"

struct visitor_origin;

struct visitor {
    TAILQ_ENTRY(visitor) order;
    int descriptor;
    struct visitor_origin *origin; // shared by all who come from there
    struct instant came;
    struct instant useful; // when last, or when it came
    bool leaving;          // shut down, not gone yet
};

struct visitors {
    TAILQ_HEAD(visitor_order, visitor) order; // the longest of no use first
    unsigned staying;
};

struct visitors_rules {
    unsigned room;       // so many may stay
    unsigned share;      // so many from one origin are not many
    struct span new;     // for so long one has just come
    struct span useless; // after so long without use nobody stays
};

void visitors_begin(struct visitors *visitors);

// An origin by the address of a client: an IPv4 address, the first 64 bits of an IPv6 address (a
// network's, whose hosts have as many as they like), and one for all who come by a unix socket.
uint64_t visitors_origin(const struct sockaddr *address);

struct visitor *visitors_add(struct visitors *visitors, int descriptor, uint64_t origin,
                             struct instant now);
void visitors_remove(struct visitors *visitors, struct visitor *visitor);
void visitors_useful(struct visitors *visitors, struct visitor *visitor, struct instant now);

// Shuts down (shutdown(2)) those of no use for too long, and while too many stay the longest
// useless of those who are to go first. Whoever owns the connections sees them end and removes
// them.
void visitors_show_out(struct visitors *visitors, const struct visitors_rules *rules,
                       struct instant now);

// Since when the longest useless one that stays has been so; INSTANT_NEVER when nobody stays.
struct instant visitors_useless_since(const struct visitors *visitors);

#endif
