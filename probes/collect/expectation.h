// When the next probe of each path is due, and how often to look for it.
//
// A tag says how long after it the sender's next slot comes. From that time on the mailbox is
// polled, with a spacing that grows with the age of the expectation: so the error of an arrival
// stays a small part of its latency. Only our own clock counts here: the next probe is expected
// `next` after the arrival of this one, less its latency (as far as the clocks agree on it, and at
// most a second), so that polling begins just before the probe is sent.
#ifndef MAILFLOW_PROBES_COLLECT_EXPECTATION_H
#define MAILFLOW_PROBES_COLLECT_EXPECTATION_H

#include <stddef.h>

#include "base/instant.h"
#include "base/tag_codec.h"

enum { EXPECTATIONS_MAXIMUM = 512 };

#define EXPECTATION_LIFE     SPAN_SECONDS(10) // after that only IDLE waits for it
#define EXPECTATION_EARLY    SPAN_MS(5)       // timers of the sender are not exact
#define EXPECTATION_SPACING  SPAN_MS(4)       // at first
#define EXPECTATION_FRACTION 40               // then a fortieth of its age

struct expectation {
    char from[SERVER_NAME_SIZE], to[SERVER_NAME_SIZE];
    struct walltime sent; // of the probe that raised it: an older one that comes late does not
    struct instant due;
};

// One for each path; past the maximum further ones are not expected until others expire.
struct expectations {
    size_t count;
    struct expectation items[EXPECTATIONS_MAXIMUM];
};

// Takes the path's expectation back and raises the next one.
void expectations_note_arrival(struct expectations *expectations, const struct tag *tag,
                               struct moment arrived);

// Forgets those past their life and says when to look next, having looked at `looked`: at the
// youngest expectation's pace while there is one, else when the first comes due, else never.
struct instant expectations_next_look(struct expectations *expectations, struct instant looked,
                                      struct instant now);

#endif
