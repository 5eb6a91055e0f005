// How many processes of the pool (submitters.h) each relay may hold, by what it did with earlier
// jobs.
#ifndef MAILFLOW_SHELL_RELAYS_H
#define MAILFLOW_SHELL_RELAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "probes/probe.h"

enum { RELAY_WINDOW_MAXIMUM = 16, RELAY_HANGING_MAXIMUM = 4, SUSPECTS_MAXIMUM = 16 };

// What we know of one relay, by host and port.
struct relay {
    char host[PROBE_HOST_SIZE];
    uint16_t port;
    unsigned window; // processes it may hold
    unsigned held;   // processes it holds
    bool suspect;    // its last job ran out of time
};

// All of them; zeroed is none yet. What relays_find returns stays valid, pointers into it do not.
struct relays {
    struct relay *items;
    uint32_t count;
};

uint32_t relays_find(struct relays *relays, const char *host, uint16_t port);
void relays_destroy(struct relays *relays);

// While `hanging` of its jobs take longer than they should, and so many processes of the pool are
// held by suspects and jobs that hang.
bool relay_may_hold_another(const struct relay *relay, unsigned hanging, unsigned suspects);

// A job of it is over.
void relay_let_go(struct relay *relay, bool in_time);

#endif
