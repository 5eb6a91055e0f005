// How many processes of the pool (submitters.h) each relay may hold, by what it did with earlier
// jobs.
#ifndef MAILFLOW_SHELL_RELAYS_H
#define MAILFLOW_SHELL_RELAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "probes/probe.h"

enum { RELAY_WINDOW_MAXIMUM = 16, SUSPECTS_MAXIMUM = 16 };

// What we know of one relay, by host and port.
struct relay {
    char host[PROBE_HOST_SIZE];
    uint16_t port;
    unsigned window;       // processes it may hold
    unsigned held;         // processes it holds
    struct instant oldest; // since when its longest job has been running
    bool suspect;          // its last job ran out of time
};

// All of them; zeroed is none yet. What relays_find returns stays valid, pointers into it do not.
struct relays {
    struct relay *items;
    uint32_t count;
};

uint32_t relays_find(struct relays *relays, const struct probe_endpoint *endpoint);
void relays_destroy(struct relays *relays);

// Whether one of its jobs takes longer than it should.
bool relay_is_hanging(const struct relay *relay, struct instant now);

// With so many processes held by suspects altogether.
bool relay_may_hold_another(const struct relay *relay, unsigned suspects, struct instant now);

void relay_take_hold(struct relay *relay, struct instant now);

// The oldest of the jobs that it still has began then.
void relay_let_go(struct relay *relay, bool in_time, struct instant oldest);

#endif
