// What came of the probes and incidents of a ledger, as recorded and as replayed, side by side.
#ifndef MAILFLOW_REPLAY_TALLY_H
#define MAILFLOW_REPLAY_TALLY_H

#include <jansson.h>

#include "core/core.h"

enum tally_side { SIDE_RECORDED, SIDE_SIMULATED, TALLY_SIDES };

struct tally_incidents {
    struct incident *items; // owned
    size_t count;
};

struct tally {
    struct walltime since;
    uint64_t verdicts[TALLY_SIDES][DIRECTIONS][VERDICTS];
    struct tally_incidents incidents[TALLY_SIDES]; // by id
};

void tally_free(struct tally *tally);

// Counts a probe's verdict, if there is one and it was sent since.
void tally_add_probe(struct tally *tally, enum tally_side side, const struct probe_record *record);

// One that was lost has arrived: takes that back.
void tally_take_loss(struct tally *tally, enum tally_side side, const struct probe_record *record);

// A new incident, or what has become of it.
void tally_put_incident(struct tally *tally, enum tally_side side, const struct incident *incident);

// Adds "recorded", "simulated" and "incidents".
void tally_write(const struct tally *tally, json_t *object);

// RFC 3339, null when there is none.
void tally_write_time(json_t *object, const char *name, struct walltime at);

#endif
