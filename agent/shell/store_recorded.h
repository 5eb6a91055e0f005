// A ledger as it was recorded, read from beginning to end for tools that are not the agent: nothing
// in it or beside it is written, and an agent may be running on it meanwhile.
//
// A ledger whose log lies beside it is read in one read transaction: the state of one instant,
// whatever the agent writes after it; what a crash left in the log is read, too. One without a log
// (a copy, an agent that has stopped) is opened as immutable. SQLite leaves no file beside either,
// but for the index (-shm) of a log that was copied without it. (https://www.sqlite.org/wal.html,
// "Read-Only Databases".)
#ifndef MAILFLOW_SHELL_STORE_RECORDED_H
#define MAILFLOW_SHELL_STORE_RECORDED_H

#include <stdbool.h>

#include "base/error.h"
#include "base/instant.h"
#include "core/incident.h"
#include "core/record.h"
#include "core/window.h"
#include "probes/probe.h"

struct store_recorded;

// What of a probe's row a replay needs.
struct recorded_probe {
    struct walltime noted; // the order of the rows: planned if outbound, arrived if inbound
    struct probe_record record;
    enum reply_class reply_class;
    int code;
    struct span legs[SUBMIT_LEGS]; // negative: did not take place
    char mailbox[PROBE_MAILBOX_SIZE];
    bool stripped;
    struct walltime absent;
    struct walltime asked;
    struct walltime present;
    struct walltime saved;
    struct walltime bounced; // when a failure was reported; none when it was not
};

// NULL with a message when the file is no ledger of this program's schema or cannot be read.
struct store_recorded *store_recorded_open(const char *ledger, struct error *error);
void store_recorded_close(struct store_recorded *recorded);

// Windows by begin and incidents by id, all of them. False from the store with a message.
bool store_recorded_windows(struct store_recorded *recorded,
                            void (*each)(void *context, const struct window *window), void *context,
                            struct error *error);
bool store_recorded_incidents(struct store_recorded *recorded,
                              void (*each)(void *context, const struct incident *incident),
                              void *context, struct error *error);

// The next probe, oldest first by `noted`; *found false after the last.
bool store_recorded_next(struct store_recorded *recorded, struct recorded_probe *out, bool *found,
                         struct error *error);

#endif
