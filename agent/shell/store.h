// The ledger on disk: every probe in flight and the recent past, incidents, windows and who knows
// of them, reserved slots. SQLite in WAL mode under state_dir/ledger.db, the only place that knows
// SQL.
//
// Writes gather in one transaction; store_commit ends it, once per loop turn or after several, and
// before the deeds of these. What is committed survives kill -9; STORE_DURABLE also survives a
// power cut. A write that fails makes the commit fail; the caller must then not do the deed. The
// store goes on: once the disk has space again, the next commit succeeds.
//
// Times are stored as nanoseconds since 1970, spans as nanoseconds, names as text.
//
// Damage: at start a ledger up to 64 MiB is looked through whole, one up to 512 MiB only after a
// run that did not end by store_close, a larger one in its small tables. Damage found later fails
// all commits from then on and is noted for the next start. A ledger cut to nothing after a run
// that had it open is damaged, too. In all cases the damaged ledger is kept aside.
#ifndef MAILFLOW_SHELL_STORE_H
#define MAILFLOW_SHELL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "core/habits.h"
#include "core/incident.h"
#include "core/record.h"
#include "core/window.h"
#include "probes/probe.h"

struct store;

// Opens or creates the ledger and migrates its schema. A ledger that is corrupt is kept beside it
// as ledger.db.corrupt-<time> (with its -wal and -shm), never deleted; a fresh one is begun and
// *kept names the file for a loud line (else ""). NULL with a message when the directory cannot be
// used, the ledger was written by a newer version, or another agent has it open.
struct store *store_open(const char *state_dir, struct moment now, char *kept, size_t kept_size,
                         struct error *error);
void store_close(struct store *store);

// 3 KiB each at most: no more than 12 MiB of the ledger.
enum { STORE_TRANSCRIPTS_MAXIMUM = 4096 };

enum store_durability { STORE_FAST, STORE_DURABLE };

// Ends the transaction, if one is open. False when anything since the last commit failed: nothing
// of it is written then, and the message says why.
bool store_commit(struct store *store, enum store_durability durability, struct error *error);

// ---- writes; each begins a transaction when none is open ----

// Inserts or updates the judged life. Evidence already stored stays, and so does what this record
// does not say (a time that is none, slot 0; the kind is that of the first record).
void store_put_probe(struct store *store, const struct probe_record *record);

// What the server and the prober said about a submission. May come before the probe in one turn.
// Only the newest STORE_TRANSCRIPTS_MAXIMUM transcripts stay.
void store_put_outcome(struct store *store, const struct probe_id *id,
                       const struct submit_outcome *outcome);

// Where an arrived probe lies and how its arrival was seen. May come before the probe in one turn.
void store_put_message(struct store *store, const struct probe_id *id,
                       const struct collect_report *report);

// What a server reported of a probe; of two that report the same action the later one stays.
void store_put_bounce(struct store *store, const struct probe_id *id, const struct bounce *bounce,
                      struct walltime reported);

// The way of an arrived probe, as trace_to_json has it; after the probe or its message.
void store_put_trace(struct store *store, const struct probe_id *id, const char *trace,
                     bool rerouted);

void store_put_incident(struct store *store, const struct incident *incident);

// It is to be said once this is committed, and owed until it is forgotten. The caller numbers them
// in their order.
void store_put_notice(struct store *store, int64_t number, int64_t incident, enum notice notice);
void store_forget_notice(struct store *store, int64_t number);

// Forgets all but the newest `newest`, and those whose incidents are gone.
void store_keep_notices(struct store *store, unsigned newest);

void store_put_window(struct store *store, const struct window *window);

// The peer knows this revision of the window, or an older one that is told late.
void store_put_acknowledged(struct store *store, const char *window, uint32_t revision,
                            const char *peer);

// Of two numbers for a peer the higher one stays.
void store_put_slots(struct store *store, const char *peer, int64_t reserved);

// What a path is used to.
void store_put_habits(struct store *store, const char *peer, enum direction direction,
                      const struct habits *habits);

// Remembers that this run is alive; with `started` also when it began.
void store_put_alive(struct store *store, struct walltime now);
void store_put_started(struct store *store, struct walltime now);

// Deletes at most `limit` resolved probes and closed incidents older than this, and the windows
// that no probe in flight can have touched, with who acknowledged them; true when there may be
// more. A probe's age counts from when this agent came to know of it.
bool store_retain(struct store *store, struct walltime before, unsigned limit);

// ---- reads ----

enum store_arrival { STORE_ARRIVAL_NEW, STORE_ARRIVAL_SAME, STORE_ARRIVAL_DUPLICATE };

// Whether the probe of an arrival report has arrived before, as this very message (same mailbox,
// folder, UIDVALIDITY and UID) or as another. An outbound probe of ours that has not arrived is
// new. A failure to read makes the next commit fail.
enum store_arrival store_find_arrival(struct store *store, const struct collect_report *report);

// What the core needs after a start, told in this order: reserved slots, and what the newest
// arrival from the peer said that it has seen of our receipts; what paths are used to;
// windows that ended after `windows_since`; what peers have acknowledged, of any window; incidents
// that are open or closed since `incidents_since`; notices that are owed, in their order, each with
// its incident; for every path named in the rows the newest `newest` probes that arrived and, as
// their senders may not know yet, those that came to us within the hour before the end of the last
// run, then all probes in flight: of both the oldest first.
struct store_restore {
    struct walltime windows_since;
    struct walltime incidents_since;
    unsigned newest;
    void *context;
    void (*probe)(void *context, const struct probe_record *record);
    void (*incident)(void *context, const struct incident *incident);
    void (*notice)(void *context, int64_t number, const struct incident *incident,
                   enum notice notice);
    void (*window)(void *context, const struct window *window);
    void (*acknowledged)(void *context, const char *window, uint32_t revision, const char *peer);
    void (*slots)(void *context, const char *peer, int64_t reserved, struct walltime seen);
    void (*habits)(void *context, const char *peer, enum direction direction,
                   const struct habits *habits);
};

// Also says when the last run began and was last alive (none for a new ledger).
bool store_restore(struct store *store, const struct store_restore *restore, struct walltime *alive,
                   struct walltime *started, struct error *error);

// What one peer's paths are used to, and its probes.
bool store_restore_peer(struct store *store, const struct store_restore *restore, const char *peer,
                        struct error *error);

// The highest incident id ever given, so that ids are never reused.
int64_t store_last_incident(struct store *store);

// One stored probe with its evidence.
struct store_probe {
    int64_t cursor; // pass as `before` to continue after it
    struct probe_record record;
    int reply_class; // enum reply_class, -1 when it is not stored
    int code;
    char reply[PROBE_REPLY_SIZE];
    char cause[PROBE_REPLY_SIZE];
    char queue_id[PROBE_QUEUE_ID_SIZE];
    struct span legs[SUBMIT_LEGS]; // negative: did not take place
    char mailbox[PROBE_MAILBOX_SIZE];
    char folder[PROBE_FOLDER_SIZE];
    uint32_t uid_validity;
    uint32_t uid;
    bool stripped;
    struct walltime absent;  // not there yet, and
    struct walltime asked;   // then the server was asked; none when it told unasked
    struct walltime present; // there, seen by our collector; none when it did not look
    struct walltime saved;   // as the server says
};

struct store_query {
    const char *peer;      // NULL = all
    int direction;         // enum direction, or -1
    int verdict;           // enum verdict, or -1
    struct walltime since; // none = from the beginning; by `sent`, or `planned` where not sent
    bool troubled;         // only those that came to anything but on time; of one peer
    int64_t before;        // cursor; 0 = from the newest; nothing follows one that has expired
    unsigned limit;
};

// Newest first by when this agent came to know of the probe (outbound: planned, inbound: arrived),
// on its own clock: an order that no later news of a probe and no peer's clock changes, so that
// pages neither overlap nor miss any. False from `each` ends it; `each` must not query probes
// itself.
bool store_query_probes(struct store *store, const struct store_query *query,
                        bool (*each)(void *context, const struct store_probe *probe), void *context,
                        struct error *error);

// The latencies in nanoseconds of probes of one path that came on time or late, and of which this
// agent came to know at or after `from` and before `until`: the first `most`. Returns how many. A
// failure to read makes the next commit fail.
struct store_sample {
    const char *peer;
    enum direction direction;
    struct walltime from;
    struct walltime until;
    unsigned most;
};
size_t store_sample_latencies(struct store *store, const struct store_sample *sample, int64_t *out);

// False when there is no such probe. A failure to read makes the next commit fail.
bool store_get_probe(struct store *store, const struct probe_id *id, struct store_probe *out);

// What was said when the probe was not taken over; "" when that is not kept. A failure to read
// makes the next commit fail.
void store_get_transcript(struct store *store, const struct probe_id *id,
                          char out[TRANSCRIPT_SIZE]);

// The report of this action about a probe.
struct store_bounce {
    struct bounce bounce;
    struct walltime reported; // seen in the mailbox
};

// False when there is none. A failure to read makes the next commit fail.
bool store_get_bounce(struct store *store, const struct probe_id *id, enum bounce_action action,
                      struct store_bounce *out);

// Its way, and whether that was another than the path was known to take. False when nothing is
// known of it. A failure to read makes the next commit fail.
bool store_get_trace(struct store *store, const struct probe_id *id, struct trace *out,
                     bool *rerouted);

// How many probes have ids from `least` to `greatest`, counted up to two; the first of them in
// *out. A failure to read makes the next commit fail.
unsigned store_find_probe(struct store *store, const struct probe_id *least,
                          const struct probe_id *greatest, struct probe_id *out);

// Incidents newest first, at most `limit`: those still open, and those closed since then.
bool store_query_incidents(struct store *store, struct walltime since, unsigned limit,
                           bool (*each)(void *context, const struct incident *incident),
                           void *context, struct error *error);

// False when there is none with this id (any more). A failure to read makes the next commit fail.
bool store_get_incident(struct store *store, int64_t id, struct incident *out);

// How many incidents did not notify because of this window. A failure to read makes the next commit
// fail.
unsigned store_count_suppressed(struct store *store, const char *window);

struct store_figures {
    int64_t entries; // probes kept
    int64_t bytes;   // ledger and its write-ahead log
    uint64_t commit_failures;
    bool corrupt; // damage was found: no commit succeeds any more, only a new start helps
};
struct store_figures store_figures(const struct store *store);

// Moves the write-ahead log into the ledger on a connection of its own, so that it may run in
// another thread: PASSIVE, and TRUNCATE once the log has passed 16 MiB. False with a message on
// failure.
bool store_checkpoint(const char *state_dir, struct error *error);

#endif
