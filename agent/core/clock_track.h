// How a peer's clock runs against ours, from round trips over HTTP.
//
// Four timestamps bound the offset of the two clocks, `theirs minus ours`, by half the round trip,
// however unevenly its two ways took (RFC 5905 section 8). Of each period the shortest round trip
// is kept; two that lie apart tell how fast the two clocks drift. Away from a
// reading the error grows by what the drift is not known for, and by what any clock wanders
// (section 7.1 there: PHI).
//
// A reading that contradicts what was known shows that a clock was set or put to another rate: all
// begins anew with it.
#ifndef MAILFLOW_CORE_CLOCK_TRACK_H
#define MAILFLOW_CORE_CLOCK_TRACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"

enum { CLOCK_READINGS = 8 };
#define CLOCK_PERIOD SPAN_MINUTES(5)

// How far two clocks that nobody disciplines may drift apart, each 50 us a second.
#define CLOCK_DRIFT_MOST 100e-6
#define CLOCK_WANDER     15e-6

// Of one exchange: when its request was made, came, was answered, and when the answer came back.
// `requested` and `returned` are read off the asker's clock, the others off the answerer's. None
// while it has not happened.
struct round_trip {
    struct walltime requested;
    struct walltime received;
    struct walltime replied;
    struct walltime returned;
};

struct clock_reading {
    struct instant at;
    struct span offset;
    struct span error;
};

// Seconds a second by which their clock gains on ours.
struct clock_rate {
    double of;
    double error;
};

struct clock_track {
    struct clock_reading readings[CLOCK_READINGS]; // the oldest first, the best of each period
    size_t count;
    struct instant period; // when the newest began
    struct instant last;   // reading, the best of its period or not
    struct clock_rate drift;
};

struct clock_estimate {
    bool known;
    struct span offset; // theirs minus ours
    struct span error;
    double drift; // seconds a second by which theirs gains on ours, 0 when not known
};

// False when it is no round trip: one of its parts took less than nothing.
bool clock_reading_take(const struct round_trip *trip, struct instant at,
                        struct clock_reading *out);

// False when it contradicts what was known.
bool clock_track_observe(struct clock_track *track, const struct clock_reading *reading);

// There has been a reading not long ago, and the next will come: nothing knows better.
bool clock_track_is_live(const struct clock_track *track, struct instant at);

struct clock_estimate clock_track_estimate(const struct clock_track *track, struct instant at);

// A span's part by such a rate.
struct span clock_drifted(struct span over, double rate);

#endif
