// What the core knows of one peer: the outbound path to it, the inbound path from it, and what has
// been counted. Written only by agent/core; read by the status, the metrics and the page.
#ifndef MAILFLOW_CORE_PEER_H
#define MAILFLOW_CORE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "base/receipt.h"
#include "config/config.h"
#include "core/acknowledgement.h"
#include "core/certificate.h"
#include "core/clock_offset.h"
#include "core/decision.h"
#include "core/drain.h"
#include "core/flap.h"
#include "core/flight.h"
#include "core/kept_habits.h"
#include "core/hops.h"
#include "core/row.h"
#include "core/stats.h"
#include "core/told_receipts.h"
#include "core/verdict.h"

enum {
    SENDING_MAXIMUM = 4,
    TROUBLES_KEPT = 8,
    RESUMPTIONS_KEPT = 4,
    UNSEEN_RECEIPTS_MAXIMUM = 2048,
    LOST_KEPT = 16,
    REFUSED_KEPT = 4,
    HEARD_KEPT = 24,
    LOOPS_KEPT = 8,
    EXCHANGE_CAUSE_SIZE = 160,
};

// The first arrival on a path of a probe that was sent after a window's end.
struct resumption {
    struct walltime end;
    struct walltime at;
};

// A probe given to a submit worker whose outcome is not known yet.
struct sending {
    struct probe_id id;
    enum probe_kind kind;
    int64_t slot;
    struct walltime planned;
    bool resolved; // arrived or bounced before its outcome: it has been recorded already
};

// An arrival of which the peer may not know. The list is in the order of `place`, which is the time
// of the arrival, but always after the one ahead of it and after any as_of that the peer was told:
// its `seen` then covers exactly what it was sent, whatever our clock does.
struct unseen {
    struct walltime place;
    struct receipt receipt;
};

// Late arrivals of one flush, until they are said.
struct cohort {
    unsigned count;
    struct walltime first_sent;
    struct walltime last_sent;
    struct walltime arrived; // of the first
};

// What is kept of a server, ours or a peer's, for the incidents about it.
struct server_state {
    struct walltime last_arrival; // of any probe from it or to it
    struct drain drain;
    struct flap_history *flaps; // owned; NULL as long as nothing was notified
    unsigned suppressed;        // notifications, by its windows since the last began
};

// What both directions have. There may be 20,000 of them: what most never need they own when they
// do.
struct path {
    struct decisions decisions;
    struct verdict_trouble *troubles; // owned, a ring of TROUBLES_KEPT; NULL before the first
    uint32_t trouble_count;
    struct walltime last_sent;    // of the newest probe that arrived, by sent
    struct walltime last_arrival; // when the last one arrived
    struct span last_latency;
    struct span last_error;
    struct slowest_hop *last_hop; // owned; the slowest of its way, NULL when that is not known
    bool last_rerouted;           // it took another route than the path is known to take
    struct kept_habits *habits;   // owned; NULL as long as nothing is known
    // The part of watching that is a plain deadline: from when on silence counts. It moves on with
    // every arrival and over every stretch in which we could not see.
    struct instant watch_from;
    struct instant gap_begin; // the last stretch in which we could not see: no silence ages in it
    struct instant gap_end;
    struct walltime decided;        // restored: what arrived before has had its say
    struct resumption *resumptions; // owned, a ring of RESUMPTIONS_KEPT; NULL before the first
    uint32_t resumption_count;
    struct cohort cohort;
    struct flap_history *flaps; // owned; NULL as long as nothing was notified
};

// What a server said of why a probe of ours waits.
struct delay_report {
    char words[INCIDENT_CAUSE_SIZE];
};

struct outbound {
    struct path path;
    struct flights flights;
    struct sending *sending; // owned, SENDING_MAXIMUM; NULL while there are none
    size_t sending_count;
    int64_t next_slot;
    int64_t reserved_slot;    // slots below it are taken, durably
    int64_t previous_slot;    // the last handed over, 0 for none
    struct instant cadence;   // due time of the next slot before jitter
    struct instant due;       // with jitter
    struct instant extra_due; // of a probe outside the cadence, INSTANT_NEVER when none is owed
    enum probe_kind extra_kind;
    struct instant extra_from;  // the next probe outside the cadence, by hand excepted
    struct instant urgent_from; // likewise one that somebody waits for
    unsigned unanswered;        // handed over since anything signed came from the peer
    bool thinned;
    unsigned refused_in_a_row;
    struct walltime refused_since; // when the first of them was planned
    unsigned accepted_in_a_row;
    struct walltime receipts_as_of;    // the peer's newest
    struct walltime receipts_complete; // the newest that left nothing out
    struct told_receipts told;
    struct flight *lost; // owned, a ring of LOST_KEPT: what may yet arrive after all; or NULL
    uint32_t lost_count;
    struct delay_report *delay; // owned; the newest since a probe was last on time; NULL for none
};

struct inbound {
    struct path path;
    int64_t newest_slot;
    struct walltime slot_sent; // of that slot, by the sender's clock; none before this run
    struct span sender_interval;
    struct walltime receipts_seen; // what we tell the peer we have of its receipts
    struct unseen *unseen;         // oldest first
    size_t unseen_count;
    struct walltime seen_by_peer; // newer than any as_of of this run, if our clock went back
    unsigned untold;              // arrivals since our last probe to the peer
};

// What the two of us have told each other of windows.
struct told {
    struct acknowledgements theirs;  // what the peer knows of them
    struct acknowledgement *refused; // owned, a ring of REFUSED_KEPT: what we would not take; NULL
    uint32_t refused_count;
    char (*heard)[WINDOW_ID_SIZE]; // owned, HEARD_KEPT: what the peer told last, the most important
                                   // first; NULL as long as it has told nothing
    size_t heard_count;
    struct walltime mailed;       // our last probe, which carries what there is to tell ...
    struct walltime mailed_first; // ... and the first since there was something new
    char *mail_cause;             // why nobody took over the last one, kept (base/text.h)
};

// Exchanges with the peer's agent over HTTP.
struct exchanging {
    struct instant due;
    bool under_way;
    bool again;            // something new to tell since it began
    struct walltime asked; // when the last of ours began
    struct instant asked_at;
    struct walltime exchanged; // when the last one, of either side, came about
    struct instant exchanged_at;
    bool isolated;     // says the peer's agent of itself in that
    unsigned failures; // in a row
    char *cause;       // of the last, kept
};

struct peer {
    const struct peer_settings *settings;
    int collect; // index of the mailbox that we read for it, -1 when an agent stands beside it
    struct outbound outbound;
    struct inbound inbound;
    struct told told;
    struct clock_relation clock;
    struct exchanging exchange;
    struct instant passed[DIRECTIONS]; // when we last learned that mail had come through
    char *row;                         // what it last said of other servers, owned, or NULL ...
    struct instant row_at;             // ... and when that was written
    struct walltime heard;             // the last time anything signed came from it
    struct server_state server;
    bool greeting;                 // whether its mail server greets is being asked ...
    struct instant greeting_asked; // ... or was last, then ...
    struct span greeting_patience; // ... for so long
    char *greeting_cause;          // what the last answer says of the trouble, kept
    struct walltime looped;        // the newest of ours to it that came back to us, by sent
    struct probe_id *loops;        // owned, a ring of LOOPS_KEPT: the last of them; or NULL
    uint32_t loop_count;
    struct instant loop_said;
    struct certificate_sight
        *certificates[2]; // of its own relay and its agent, owned; NULL: unseen
    unsigned sound;       // arrivals in a row that found nothing wrong with the clocks
    struct peer_stats stats;
};

struct mailbox {
    const struct mailbox_settings *settings;
    bool readable;
    bool read;                             // completely, since it became readable
    bool foreign_collects;                 // read for agentless peers only
    int owner;                             // the first of them, else OWN_SERVER
    struct certificate_sight *certificate; // of its server, owned; NULL: unseen
    struct instant blind_since;            // when it became unreadable
    struct walltime complete;              // everything there at this time has been reported
    int64_t foreign_messages;
    uint64_t errors;
    char cause[160];
    struct flap_history *flaps; // owned; NULL as long as nothing was notified
};

#endif
