// A core with a few peers and a mailbox, a clock that stands where the test puts it, and short ways
// to say what happens.
#ifndef MAILFLOW_TEST_CORE_FIXTURE_H
#define MAILFLOW_TEST_CORE_FIXTURE_H

#include "core/core.h"

struct core_fixture {
    struct settings *settings;
    struct core *core;
    struct moment now;
    struct actions actions; // of the last call
};

// Peers are named p0, p1, ...; the mailbox is "local", our server "here".
struct settings *core_settings_of(size_t peers);

// Created and started at a fixed time.
void core_fixture_begin(struct core_fixture *fixture, size_t peers);
void core_fixture_end(struct core_fixture *fixture);

// Puts the clock forward; nothing is called.
void core_fixture_wait(struct core_fixture *fixture, struct span wait);
void core_fixture_handle(struct core_fixture *fixture, const struct event *event);
void core_fixture_time(struct core_fixture *fixture);

// EVENT_TIME at every deadline up to then. `each` (may be NULL) sees every action.
void core_fixture_run(struct core_fixture *fixture, struct span length,
                      void (*each)(void *context, const struct action *action), void *context);

// How many actions of this kind the last call gave, and the first of them (NULL for none).
size_t core_fixture_count(const struct core_fixture *fixture, enum action_kind kind);
const struct action *core_fixture_action(const struct core_fixture *fixture, enum action_kind kind);

struct probe_id core_fixture_id(unsigned number);

// A probe of the peer arrives now, in the fixture's mailbox, after so long.
struct collect_report core_fixture_report(const struct core_fixture *fixture, const char *peer,
                                          unsigned number, struct span latency);
void core_fixture_arrive(struct core_fixture *fixture, const struct collect_report *report,
                         enum arrival_known known);
// The receipts that the next probe to the peer carries.
void core_fixture_receipts(const struct core_fixture *fixture, int peer, struct receipts *out);

// One that becomes readable is read.
void core_fixture_readable(struct core_fixture *fixture, bool readable);

// Waits for the next probe to peer 0 and tells its outcome.
struct probe_id core_fixture_send(struct core_fixture *fixture, enum submit_result result);

// Tells the outcome of a probe that is being handed over; sent and accepted are now.
void core_fixture_submitted(struct core_fixture *fixture, int peer, const struct probe_id *id,
                            enum submit_result result);

// The peer says this over HTTP.
void core_fixture_hear(struct core_fixture *fixture, int peer, const char *maintenance,
                       const char *row);

#endif
