// The inside of the core, shared by its own files only. core.c joins them
// (build.c makes it from the settings, restore.c from the ledger, view.c shows it): outbound.c
// sends, fate.c learns what became of it, inbound.c receives and watches for silence, path.c judges
// what arrived on either, maintenance.c follows the windows. Incidents have headers of their own:
// trouble.h, server.h, drain.h.
#ifndef MAILFLOW_CORE_STATE_H
#define MAILFLOW_CORE_STATE_H

#include "base/random.h"
#include "core/arrival.h"
#include "core/core.h"
#include "core/isolation.h"
#include "core/schedule.h"

enum peer_timer {
    TIMER_SLOT,
    TIMER_EXTRA,
    TIMER_SILENCE,
    TIMER_LOST,
    TIMER_EXCHANGE,
    TIMER_GREET,
    TIMER_DRAIN,
    TIMER_COHORT,
    PEER_TIMERS
};

// What is due of our own server, or of no peer alone.
enum own_timer { OWN_OVERRUN, OWN_ISOLATION, OWN_DRAIN, OWN_FLAP, OWN_CLOCK, OWN_CERTIFICATE };

// The core is called at least this often, so that a longer gap is a sleep and no lack of work.
#define HEARTBEAT SPAN_SECONDS(10)

struct core {
    const struct settings *settings;
    struct peer *peers; // as many, in the same order, as in the settings
    struct mailbox *mailboxes;
    struct schedule peer_timers; // key: peer * PEER_TIMERS + timer
    struct schedule mailbox_timers;
    struct schedule incident_timers; // key: place in `incidents`
    struct schedule own_timers;      // key: enum own_timer
    struct instant window_due;       // the next begin, end or end of suppression
    struct windows windows;
    struct walltime announced; // when a window of ours last changed
    struct incidents incidents;
    struct flapping *flapping; // what opens and closes too often
    size_t flapping_count;
    struct server_state own; // our server
    struct isolation isolation;
    struct certificate_sight *certificates[CERTIFICATE_PLACES]; // our server's, owned; NULL: unseen
    size_t certificate_at; // how far the look at all of them has come
    struct incident_counts incident_counts[INCIDENTS][SEVERITIES];
    struct agent_stats stats;
    struct histogram_edges edges;
    struct random_stream random;
    struct span clock_error;      // at most, says our kernel; zero when nobody disciplines it
    struct span stepped;          // how far our clock last stepped ...
    struct instant stepped_until; // ... which every probe says until the peers have noticed
    struct instant watch_floor;   // our start + settle: nothing is silent before
    struct instant seeing_since;  // the end of the last stretch in which we could not see
    struct moment last;           // of the previous call
    struct instant promised;      // the deadline it returned
    struct instant begun;         // our start
    bool started;                 // what the ledger knows has been restored
    bool replayed;                // sends nothing of its own: what was sent is told (replay.h)
    struct actions *actions;      // of the call under way
};

// ---- core.c ----

// The next free action, zeroed. The callers keep within ACTIONS_PER_STEP for one event or timer.
enum { ACTIONS_PER_STEP = 96 };
struct action *core_act(struct core *core, enum action_kind kind);
void core_set_timer(struct core *core, int peer, enum peer_timer timer, struct instant due);
bool core_may_act(const struct core *core); // for one more step
int core_find_peer(const struct core *core, const char *name);

struct span core_shortest_interval(const struct core *core);

// The subject that a stored text names in these settings; false when they have it no more.
bool core_resolve_subject(const struct settings *settings, enum incident_kind kind,
                          const char *text, struct subject *out);

// A stretch in which this agent could not see (or was not there): where it was longer than an
// interval it explains what it held up, and no path's silence counts in it. `mailbox` -1: all
// paths.
void core_interrupted(struct core *core, struct moment begin, struct moment end, int mailbox);

// An unreadable mailbox makes us blind some time after it became so, and again should its incident
// be closed meanwhile.
void core_watch_mailbox(struct core *core, int mailbox, struct moment now);

// ---- restore.c ----

// Settle was another: what waits for it waits as long as it is now.
void core_resettle(struct core *core, struct span before, struct moment now);

// ---- outbound.c ----

void outbound_configure(struct core *core, int peer, struct moment now);
void outbound_slot(struct core *core, int peer, struct moment now);
void outbound_extra(struct core *core, int peer, struct moment now);
void outbound_by_hand(struct core *core, int peer, const struct probe_id *id, struct moment now);

// Owes the peer a probe outside the cadence, unless a slot serves that is due within a
// minute, and within half of settle: what answers it must do so before that is over.
void outbound_owe(struct core *core, int peer, enum probe_kind kind, struct moment now);

// The peer waits for more receipts than fit into one probe: tells it before our next slot.
void outbound_owe_receipts(struct core *core, int peer, struct moment now);

// A probe that somebody waits for: an answer to one by hand, a window to be told or acknowledged.
void outbound_tell_now(struct core *core, int peer, enum probe_kind kind, struct moment now);

// Something signed came from the peer: full cadence again.
void outbound_heard(struct core *core, int peer, struct moment now);

// The count of unanswered probes begins anew; a changed cadence is told by a probe at once.
void outbound_resume(struct core *core, int peer, struct moment now);

// ---- fate.c ----

void fate_submitted(struct core *core, int peer, const struct probe_id *id,
                    const struct submit_outcome *outcome, struct moment now);

// The probe has arrived, our own eyes say (for an agentless peer).
void fate_found(struct core *core, int peer, const struct receipt *receipt, struct walltime sent,
                struct moment now);

// Up to which as_of of ours the peer says that it has our receipts; none when that cannot be.
struct walltime fate_seen(const struct receipts *receipts, struct moment now);

// What the peer says of the arrivals of our probes.
void fate_receipts(struct core *core, int peer, const struct receipts *receipts, struct moment now);

// Every arrival up to as_of is known: opens silence when what was sent long before is not there.
void fate_watch_silence(struct core *core, int peer, struct walltime as_of, struct moment now);

// It is being submitted, or in flight.
bool fate_is_open(struct core *core, int peer, const struct probe_id *id);

// By what the peer has said last.
bool fate_is_silent(const struct core *core, int peer, struct moment now);

// One more of the SENDING_MAXIMUM that a path may have at a time, for the caller to fill in.
struct sending *fate_add_sending(struct outbound *outbound);

// NULL when it is not being handed over.
struct sending *fate_find_sending(struct outbound *outbound, const struct probe_id *id);

// Given up, and yet it may come.
void fate_remember_lost(struct core *core, int peer, const struct flight *flight);

// Gives up what has been in flight for the whole queue lifetime, and when to look for it.
void fate_watch_loss(struct core *core, int peer, struct moment now);
void fate_lose(struct core *core, int peer, struct moment now);

// ---- bounce.c ----

// A server reports what became of a probe of the mesh.
void bounce_reported(struct core *core, const struct collect_report *report, struct moment now);

// ---- inbound.c ----

void inbound_configure(struct core *core, int peer, struct moment now);
void inbound_arrived(struct core *core, int peer, const struct collect_report *report,
                     struct moment now);
void inbound_watch(struct core *core, int peer, struct moment now);
bool inbound_is_silent(const struct core *core, int peer, struct moment now);

// Keeps it until the peer says that it has it. `told`: the newest as_of that it may have been told.
void inbound_keep_receipt(struct inbound *inbound, const struct receipt *receipt,
                          struct walltime told);

// The mailbox that inbound probes come to can be read, and what lay in it has been.
bool inbound_readable(const struct core *core);

// The peer has said that it knows of every arrival up to this one.
void inbound_drop_receipts(struct inbound *inbound, struct walltime seen);

// ---- loop.c ----

// A probe of ours to the peer lies in a mailbox that is not read for it.
void loop_found(struct core *core, int peer, int mailbox, const struct tag *tag, struct moment now);

// ---- view.c ----

// When everything of ours has last been read: what has arrived since is unknown.
struct walltime core_collected(const struct core *core);

// ---- way.c ----

// An arrival on our clock, with its error.
struct way {
    struct walltime sent;
    struct span sent_error;
    struct arrival arrival;
};

// Takes what is known of the probe's way; before it is judged.
void way_arrived(struct core *core, int peer, enum direction direction,
                 const struct collect_report *report, const struct way *way, struct moment now);

// An incident has closed: of one about the route the path has got used to, or back to, one.
// What was opened of ways stays open only as long as the configuration asks for it.
void way_configure(struct core *core, struct moment now);

void way_closed(struct core *core, const struct incident *incident, struct moment now);

// ---- path.c ----

// The server is at either end of the peer's paths: ours is, and the peer's.
bool path_touches(const struct core *core, int peer, const char *server);

struct path *path_of(struct core *core, int peer, enum direction direction);

// Judges an arrival on the path, counts it, and opens or closes what its verdict says. Returns the
// judgement and fills the record's fields of it.
struct judgement path_arrived(struct core *core, int peer, enum direction direction,
                              struct probe_record *record, struct span recovery, struct moment now);

// Remembers when mail sent after the end of a window first came through.
void path_note_resumptions(struct core *core, int peer, enum direction direction,
                           const struct probe_record *record);

// Judges only.
struct judgement path_judge(const struct core *core, int peer, enum direction direction,
                            struct probe_record *record, struct span recovery);
void path_count_verdict(struct core *core, int peer, enum direction direction,
                        enum verdict verdict);

// How long something unanswered may be before the path is silent.
struct span path_silence_limit(const struct peer *peer, struct span interval);

// From when on silence counts: the given instant, our start + settle, and the end + settle of every
// window of either end that has begun. INSTANT_NEVER while one of them is active.
struct instant path_watched_from(const struct core *core, int peer, struct instant from,
                                 struct moment now);

// From when on a silence counts that would count from here, were it not for the last stretch in
// which we could not see.
struct instant path_skip_gap(const struct path *path, struct instant from);

// Troubles explain what they held up. One without an incident is an interruption of ours: it ends
// with the first arrival after `closed`, at most settle later.
// `rank`: of causes the lowest explains.
void path_add_trouble(struct path *path, struct walltime began, int64_t incident, int rank);
void path_close_trouble(struct path *path, struct walltime closed, int64_t incident);
void path_add_interruption(struct path *path, struct walltime began, struct walltime closed,
                           struct span settle);

// A window that ended then was overrun: it excuses nothing that was sent after its end.
void path_note_overrun(struct path *path, struct walltime end);

// ---- maintenance.c ----

// A window announced or changed here: every peer is told.
void maintenance_put(struct core *core, const struct window *window, struct moment now);

// Takes in a window; false when it is none better than what is known, or there is no room.
bool maintenance_learn(struct core *core, const struct window *window, struct moment now);

// Says what began or ended since the last call, and computes when to look again.
void maintenance_follow(struct core *core, struct moment now);

// ---- courier.c ----

// A window of ours has changed: tells every peer, by mail and over HTTP, at once.
void courier_send(struct core *core, struct moment now);

// We have begun, or know other peers: goes on telling those that do not know.
void courier_resume(struct core *core, struct moment now);

// Whether it was done since there was something to tell.
bool courier_done_since(const struct core *core, struct walltime at);

// What became of a probe, which carried what there was to tell.
void courier_submitted(struct core *core, int peer, const struct submit_outcome *outcome);

// Whether a window of ours waits for this peer's acknowledgement.
bool courier_owes(const struct core *core, int peer, struct moment now);

// The value of Mailflow-Maintenance for the peer: the windows that matter, and those that we know.
// Empty when there are none.
void courier_compose(const struct core *core, int peer, struct moment now, struct text *out);

// Takes what the peer says of windows; true when one is news.
bool courier_take(struct core *core, int peer, const char *announcement, struct moment now);

// Windows have been forgotten: so is who knew of them.
void courier_forget(struct core *core);

// ---- clock_step.c ----

// Compares our two clocks with the last call's: a wall clock that has stepped is said, and what was
// read off it before is put into its new reading.
void clock_step_notice(struct core *core, struct moment now);

// How far our clock may be off from what the peer knows of it.
struct span clock_step_error(const struct core *core, int peer, struct moment now);

// ---- witness.c ----

// What we say of a path to others.
enum row_view witness_way(const struct core *core, int peer, enum direction way, struct moment now);

// The value of Mailflow-Row: our view of the other servers.
void witness_compose(const struct core *core, struct moment now, struct text *out);

// What a peer says of other servers, as of this instant.
void witness_take(struct core *core, int peer, const char *row, struct instant at);

// How long ago mail may have passed through a server of which a row still says that it does.
struct span witness_memory(const struct core *core, int peer);

// ---- exchange.c ----

void exchange_configure(struct core *core, int peer, struct moment now);
void exchange_due(struct core *core, int peer, struct moment now);
void exchange_owe(struct core *core, int peer, struct moment now);
void exchange_came(struct core *core, int peer, const struct exchange *said,
                   const struct round_trip *trip, struct moment now);
void exchange_failed(struct core *core, int peer, const char *cause, struct moment now);

// The peer's own agent, in an exchange that is fresh.
bool exchange_says_isolated(const struct core *core, int peer, struct moment now);

#endif
