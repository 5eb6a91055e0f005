// What an agent has on disk, in memory: the stand-in for shell/store. Rows are written before the
// deeds they speak of; what is here survives the agent, restarts and kill -9 included.
#ifndef MAILFLOW_SIMULATION_LEDGER_H
#define MAILFLOW_SIMULATION_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"

struct row {
    struct probe_record record;
    uint64_t message;  // the uid of the message in which it arrived, 0 for none
    uint64_t resolved; // counts up in the order in which probes were resolved, 0 while open
};

struct slots_row {
    char peer[SERVER_NAME_SIZE];
    int64_t reserved;
    struct walltime seen; // of our receipts by the peer
};

struct acknowledged_row {
    char window[WINDOW_ID_SIZE];
    uint32_t revision;
    char peer[SERVER_NAME_SIZE];
};

struct habits_row {
    char peer[SERVER_NAME_SIZE];
    enum direction direction;
    struct habits habits;
};

struct ledger {
    struct row *rows;
    size_t row_count;
    size_t row_room;
    uint32_t *index; // open addressing by id, place plus one
    size_t index_room;
    uint64_t resolutions;
    unsigned rewritten; // verdicts that were given and then changed, but for lost and bounced
    struct incident *incidents; // newest state of every one ever opened
    size_t incident_count;
    struct window *windows;
    size_t window_count;
    struct acknowledged_row *acknowledged;
    size_t acknowledged_count;
    struct slots_row *slots;
    size_t slots_count;
    struct habits_row *habits;
    size_t habits_count;
    struct walltime alive;
    struct walltime started;
};

void ledger_free(struct ledger *ledger);

// NULL when there is none.
struct row *ledger_find(const struct ledger *ledger, const struct probe_id *id);

// Inserts, or updates what the record says; what was written once (kind, slot, planned, accepted)
// stays.
struct row *ledger_put_probe(struct ledger *ledger, const struct probe_record *record);
void ledger_put_incident(struct ledger *ledger, const struct incident *incident);
void ledger_put_window(struct ledger *ledger, const struct window *window);
void ledger_put_acknowledged(struct ledger *ledger, const char *window, uint32_t revision,
                             const char *peer);
void ledger_put_slots(struct ledger *ledger, const char *peer, int64_t reserved);

void ledger_put_habits(struct ledger *ledger, const char *peer, enum direction direction,
                       const struct habits *habits);

enum arrival_known ledger_find_arrival(const struct ledger *ledger, const struct probe_id *id,
                                       uint64_t message);

// Hands over to a new core what it needs of earlier runs, as the shell does.
void ledger_restore(struct ledger *ledger, struct core *core, struct moment now);

// Likewise the probes of one peer, after a configuration that took it up again.
void ledger_restore_peer(struct ledger *ledger, struct core *core, const char *peer);

bool ledger_row_open(const struct row *row);

#endif
