// Which probes of a ledger the replay judges otherwise than was recorded, the earliest first.
//
// A probe that one of the two has not judged is no change: it is open at the ledger's end.
#ifndef MAILFLOW_REPLAY_CHANGES_H
#define MAILFLOW_REPLAY_CHANGES_H

#include <jansson.h>

#include "config/config.h"
#include "replay/tally.h"

struct judged;

struct changes {
    struct walltime since; // probes that were sent before are left out
    struct judged *items;
    size_t count;
};

void changes_free(struct changes *changes);

// A probe has this verdict there; the last one holds. The peer is an index of the settings.
void changes_note(struct changes *changes, enum tally_side side, int peer,
                  const struct probe_record *record);

// Adds "changed", how many there are, and the first of them as "changes". Sorts what was noted.
void changes_write(struct changes *changes, const struct settings *settings, json_t *object);

#endif
