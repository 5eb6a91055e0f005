// The judgement of the agent: everything that is decided, and nothing that is done.
//
// One function in, values out. The shell tells what happened (an event) and when (a moment); the
// core answers with what is to be done (actions), which the shell performs in their order. Nothing
// is called back, no clock is read, nothing is written: the same events give the same actions,
// which is how test/simulation runs weeks in milliseconds.
//
// The action array is bounded. The core stops before it could overflow; its next deadline is then
// `now`, and the shell simply calls again with EVENT_TIME.
#ifndef MAILFLOW_CORE_CORE_H
#define MAILFLOW_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/receipt.h"
#include "base/tag_codec.h"
#include "config/config.h"
#include "core/certificate.h"
#include "core/clock_offset.h"
#include "core/incident.h"
#include "core/peer.h"
#include "core/record.h"
#include "core/stats.h"
#include "core/window.h"
#include "probes/exchange.h"
#include "probes/probe.h"

enum event_kind {
    EVENT_TIME,      // a deadline may have passed
    EVENT_SUBMITTED, // a submission ended
    EVENT_ARRIVAL,   // a probe with a valid tag lies in one of our mailboxes
    EVENT_BOUNCE,    // a server says what became of a probe
    EVENT_REJECTED,  // something that claims to be a probe and is none of ours
    EVENT_COLLECTED, // a mailbox has been read completely
    EVENT_MAILBOX,   // a mailbox became readable or unreadable
    EVENT_BY_HAND,   // the operator wants a probe now
    EVENT_WINDOW,    // a window was announced or changed here: operator, config, calendar, flag
    EVENT_EXCHANGE,  // an agent's signed message came over HTTP: its request, or its reply to ours
    EVENT_EXCHANGE_FAILED, // our exchange with an agent did not come about
    EVENT_CERTIFICATE,     // what certificate was shown over HTTPS, to us or by us
    EVENT_GREETED,         // whether a peer's mail server has greeted us
    EVENT_CLOCK,           // what our kernel says of its clock
};

// Has this probe been seen before? The shell looks it up in the ledger.
enum arrival_known {
    ARRIVAL_NEW,       // never arrived
    ARRIVAL_SAME,      // this very message, recorded but not yet deleted
    ARRIVAL_DUPLICATE, // another message with the same id has arrived
};

struct event {
    enum event_kind kind;
    union {
        struct {
            int peer;
            struct probe_id id;
            struct submit_outcome outcome;
        } submitted;
        struct {
            int mailbox;
            enum arrival_known known;
            const struct collect_report *report; // for the duration of the call
        } arrival;                               // EVENT_ARRIVAL, EVENT_BOUNCE
        enum rejection rejected;
        struct {
            int mailbox;
            struct walltime at;
            int64_t foreign;
        } collected;
        struct {
            int mailbox;
            bool readable;
            const char *cause;                     // when it is not
            const struct certificate *certificate; // that it showed, or NULL
        } mailbox;
        struct {
            int peer;
            struct probe_id id; // given by the shell, so that it can answer the operator
        } by_hand;
        struct window window;
        struct {
            int peer;
            const struct exchange *exchange; // checked by the shell; for the duration of the call
            struct round_trip trip;          // of our request, or so far of the peer's
        } exchange;
        struct {
            int peer;
            const char *cause; // words of our prober
        } exchange_failed;
        struct {
            struct certificate_endpoint endpoint;
            const struct certificate *certificate; // for the duration of the call, as the cause
            const char *cause;                     // when it does not verify
        } certificate;
        struct {
            int peer;
            bool greeted;      // 220
            const char *cause; // when not
        } greeted;
        struct span clock_error; // at most; zero when nobody disciplines it
    };
};

enum action_kind {
    ACTION_SEND,          // record the probe, then hand it to a submit worker
    ACTION_RECORD_PROBE,  // write or update the probe's row
    ACTION_BOUNCE,        // note what the report of this event says of a probe of ours
    ACTION_DELETE,        // the arrival is recorded: delete the message of this event's report
    ACTION_INCIDENT,      // write the incident's row
    ACTION_NOTIFY,        // say it in syslog
    ACTION_WINDOW,        // write the window's row, say its transition
    ACTION_RESERVE_SLOTS, // slots of the peer below `reserved` are taken, durably
    ACTION_EXCHANGE,      // exchange with the peer's agent over HTTP, now
    ACTION_GREET,         // does the peer's mail server greet?
    ACTION_ACKNOWLEDGED,  // a peer knows the window: write it
    ACTION_RECORD_HABITS, // write what the path is used to
    ACTION_SAY_DRAINED,   // say that what an outage or a window held up has come
    ACTION_SAY_COHORT,    // say that one flush brought so many probes
    ACTION_SAY_CLOCK,     // say that our clock has stepped
    ACTION_SAY_REFUSED,   // say that a peer announces a window which is none
    ACTION_SAY_UNKNOWN,   // say that a peer has receipts for probes that were never sent
    ACTION_SAY_LOOP,      // say that a probe of ours has come back to us
    ACTION_SAY_ROUTE,     // say that a path takes another route, within a window
    ACTION_KINDS
};

// One "drain DONE": what waited through a window, or through an outage outside any, has come or is
// lost, or its recovery is over.
struct drained {
    char server[SERVER_NAME_SIZE];
    char window[WINDOW_ID_SIZE]; // "" for an outage outside any
    int64_t incident;            // the outage, 0 when the server came back within its window
    unsigned arrived;
    unsigned lost;
    unsigned in_flight; // given up at the end of recovery: `stuck` speaks of them
    struct span longest;
};

// Held: our clock has stepped, which is to be remembered and is no news of the window.
enum window_transition { WINDOW_CHANGED, WINDOW_BEGINS, WINDOW_ENDS, WINDOW_HELD };

struct action {
    enum action_kind kind;
    union {
        struct {
            int peer;
            struct tag tag; // complete but for `sent`
        } send;
        struct probe_record probe;
        struct incident incident; // ACTION_INCIDENT, ACTION_NOTIFY
        struct {
            int peer;
            struct probe_id probe;
            enum bounce_fate fate;
        } bounce;
        struct {
            struct window window;
            enum window_transition transition;
        } window;
        struct {
            int peer;
            int64_t reserved;
        } slots;
        int peer; // ACTION_EXCHANGE, ACTION_GREET
        struct {
            char window[WINDOW_ID_SIZE];
            uint32_t revision;
            char peer[SERVER_NAME_SIZE];
        } acknowledged;
        struct {
            int peer;
            enum direction direction;
        } habits;
        struct {
            int peer;
            enum direction direction;
            char window[WINDOW_ID_SIZE];
            char route[ROUTE_SIZE];
            char usual[ROUTE_SIZE];
        } route;
        struct drained drained;
        struct {
            int peer;
            enum direction direction;
            struct cohort cohort;
        } cohort;
        struct span clock_step;
        struct {
            int peer;
            char reason[INCIDENT_CAUSE_SIZE];
        } refused;
        struct {
            int peer;
            unsigned count;
            struct probe_id first;
        } unknown;
        struct {
            int peer;
            int mailbox;
            struct probe_id probe;
        } loop;
    };
    enum notice notice; // ACTION_NOTIFY
};

enum { ACTIONS_MAXIMUM = 256 };

struct actions {
    struct action items[ACTIONS_MAXIMUM];
    size_t count;
};

struct core;

// `settings` must outlive the core or the next core_configure.
struct core *core_create(const struct settings *settings, struct moment now, uint64_t seed);
void core_destroy(struct core *core);

// What the ledger knows of earlier runs, before core_start: first windows and incidents (the open
// ones, and those closed within the last day, for what they held up may still arrive), then probes.
// Order within a kind: oldest first. After core_configure likewise the probes of peers that are new
// in it.
void core_restore_probe(struct core *core, const struct probe_record *record);
// Ids of incidents go on from here.
void core_restore_last_incident(struct core *core, int64_t id);
void core_restore_incident(struct core *core, const struct incident *incident, struct moment now);
void core_restore_window(struct core *core, const struct window *window);
void core_restore_acknowledged(struct core *core, const char *window, uint32_t revision,
                               const char *peer);
void core_restore_slots(struct core *core, int peer, int64_t reserved);

// What arrived from the peer until then, it has our receipts of, as the newest record says; before
// the arrivals themselves, of which the others are to be told still.
void core_restore_seen(struct core *core, int peer, struct walltime seen);

// Takes a block of slots, up to what is returned, for the caller to write down: where many peers
// are new, or all are at a start, that is done for all at once. The blocks differ in length, so
// that they do not run out at once.
int64_t core_reserve_slots(struct core *core, int peer);
void core_restore_habits(struct core *core, int peer, enum direction direction,
                         const struct habits *habits);

// `alive`: when an earlier run was last known to be alive, `started`: the last start that counted;
// none for a new ledger. False for a start that does not count (hardly a gap, or the last one was
// just before): what is stored of the last start stays then.
bool core_start(struct core *core, struct moment now, struct walltime alive,
                struct walltime started);

// Another configuration: paths and mailboxes are recognised by name and keep what is known of them.
void core_configure(struct core *core, const struct settings *settings, struct moment now);

void core_handle(struct core *core, const struct event *event, struct moment now,
                 struct actions *actions);

// When to call again with EVENT_TIME at the latest.
struct instant core_next_deadline(const struct core *core);

// ---- reading: what is returned is valid until the next call that writes ----

const struct settings *core_settings(const struct core *core);
const struct peer *core_peer(const struct core *core, int peer);
const struct mailbox *core_mailbox(const struct core *core, int mailbox);
const struct agent_stats *core_stats(const struct core *core);
const struct histogram_edges *core_histogram_edges(const struct core *core);
const struct windows *core_windows(const struct core *core);
const struct incidents *core_incidents(const struct core *core);

struct incident_counts {
    uint64_t opened;
    uint64_t notified;
    uint64_t suppressed;
    uint64_t flaps; // openings of what flaps
};
const struct incident_counts *core_incident_counts(const struct core *core, enum incident_kind kind,
                                                   enum severity severity);

enum path_state {
    PATH_OK,
    PATH_SLOW,
    PATH_SILENT,
    PATH_REFUSED,
    PATH_MAINTENANCE,
    PATH_RECOVERING,
    PATH_UNKNOWN,
    PATH_STATES
};
const char *path_state_name(enum path_state state);
enum path_state core_path_state(const struct core *core, int peer, enum direction direction,
                                struct moment now);

// What the path is used to. False, and all zero, as long as nothing is known.
bool core_habits(const struct core *core, int peer, enum direction direction, struct habits *out);

// "mx02->mx01".
void core_path_text(const struct core *core, int peer, enum direction direction,
                    char text[SUBJECT_TEXT_SIZE]);

// Everything that we have to say to the peer, within the bounds of a probe: windows first, then our
// row, then receipts as far as they fit.
void core_compose(const struct core *core, int peer, struct moment now, struct exchange *out);

// The row that the peer said last, "" for none; and whether it is at most two of its intervals old.
const char *core_row(const struct core *core, int peer);
bool core_row_is_fresh(const struct core *core, int peer, struct moment now);

// Whether what the peer's agent last said over HTTP of itself is no older than that.
bool core_exchange_is_fresh(const struct core *core, int peer, struct moment now);

// Another peer whose row, at most two of its intervals old, says that mail passes through this one;
// -1 when none does.
int core_witness(const struct core *core, int peer, struct moment now);

// How far an announcement of this agent's has come with a peer.
enum acknowledgement_state {
    ACKNOWLEDGED,
    ACKNOWLEDGEMENT_AWAITED, // told, or about to be
    ACKNOWLEDGEMENT_REFUSED, // the peer says that it cannot take the window
};

// The peers that are to know of a window: those with an agent, but for the window's own server.
bool core_acknowledges(const struct core *core, const struct window *window, int peer);

// The peer, one of those, has acknowledged the window as it is now.
bool core_acknowledged(const struct core *core, const struct window *window, int peer);

// `why`: what has been tried and what came of it, in words, for the operator; "" once acknowledged.
enum acknowledgement_state core_acknowledgement(const struct core *core,
                                                const struct window *window, int peer, char *why,
                                                size_t size);

// Acknowledged and expected, over all peers.
struct acknowledgement_count {
    unsigned known;
    unsigned of;
};
struct acknowledgement_count core_acknowledgement_count(const struct core *core,
                                                        const struct window *window);

// How far our own clock is off at most, as its kernel says; zero when nobody disciplines it.
struct span core_clock_error(const struct core *core);

// The peer's clock against ours, from what mail and exchanges show.
struct clock_estimate core_clock(const struct core *core, int peer, struct moment now);

#endif
