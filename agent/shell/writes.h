// What is to stand in the ledger, from the turn in which it is decided until the ledger has it.
//
// While the ledger works a write is done at once, within the turn's transaction, and remembered
// only until that is committed. When it fails, or cannot be written for long (a full disk), what is
// remembered is written again later, in its order, so that nothing that happened meanwhile is
// missing. Memory stays bounded: see writes_full.
#ifndef MAILFLOW_SHELL_WRITES_H
#define MAILFLOW_SHELL_WRITES_H

#include <stdbool.h>
#include <stddef.h>

#include "shell/store.h"

enum { WRITES_MAXIMUM = 8192 };

struct write;

struct writes {
    struct write *items;
    size_t count;
    size_t room;
    bool waiting; // the ledger cannot be written: remember only
};

void writes_free(struct writes *writes);

void writes_put_probe(struct writes *writes, struct store *store,
                      const struct probe_record *record);
void writes_put_outcome(struct writes *writes, struct store *store, const struct probe_id *id,
                        const struct submit_outcome *outcome);
void writes_put_message(struct writes *writes, struct store *store,
                        const struct collect_report *report);
void writes_put_bounce(struct writes *writes, struct store *store, const struct probe_id *id,
                       const struct bounce *bounce, struct walltime reported);
void writes_put_trace(struct writes *writes, struct store *store, const struct probe_id *id,
                      const struct trace *trace, bool rerouted);
void writes_put_incident(struct writes *writes, struct store *store,
                         const struct incident *incident);
void writes_put_notice(struct writes *writes, struct store *store, int64_t number, int64_t incident,
                       enum notice notice);
void writes_forget_notice(struct writes *writes, struct store *store, int64_t number);
void writes_put_window(struct writes *writes, struct store *store, const struct window *window);
void writes_put_acknowledged(struct writes *writes, struct store *store, const char *window,
                             uint32_t revision, const char *peer);
void writes_put_slots(struct writes *writes, struct store *store, const char *peer,
                      int64_t reserved);

void writes_put_habits(struct writes *writes, struct store *store, const char *peer,
                       enum direction direction, const struct habits *habits);

// More probes than this are not to be put while waiting, and their mail is not to be deleted: it is
// found again at the next start.
bool writes_full(const struct writes *writes);

// As store_find_arrival, among what waits.
enum store_arrival writes_find_arrival(const struct writes *writes,
                                       const struct collect_report *report);

// Does everything remembered once more: the store has rolled it back, or never had it.
void writes_repeat(const struct writes *writes, struct store *store);

// The store has committed.
void writes_forget(struct writes *writes);

#endif
