#include "core/isolation.h"

#include <string.h>

#include "core/server.h"
#include "core/trouble.h"

enum { RELAY_ATTEMPTS = 3, ISOLATED_PEERS = 3, ISOLATED_PERCENT = 60 };

// ---- our relay ----

bool isolation_own_relay(const struct core *core, int peer)
{
    const struct relay_settings *own = &core->settings->relay;
    const struct relay_settings *used = &core->peers[peer].settings->relay;
    return own->port == used->port && (own->host == used->host || own->host == NULL ||
                                       used->host == NULL || strcmp(own->host, used->host) == 0);
}

// No server has answered: it is not about one addressee.
static bool without_dialogue(enum reply_class reply)
{
    return reply == REPLY_CONNECT || reply == REPLY_TLS || reply == REPLY_TIMEOUT ||
           reply == REPLY_DNS;
}

static void relay_refused(struct core *core, int peer, const struct submit_outcome *outcome,
                          struct moment now)
{
    struct isolation *isolation = &core->isolation;
    if (isolation->refusals == 0) {
        isolation->refused_since = now;
        isolation->first_peer = peer;
        isolation->several = false;
        isolation->dialogue = false;
    }
    isolation->refusals++;
    isolation->accepted = 0;
    isolation->several = isolation->several || peer != isolation->first_peer;
    isolation->dialogue = isolation->dialogue || !without_dialogue(outcome->reply_class);
    text_copy(isolation->cause, sizeof isolation->cause,
              outcome->reply[0] != '\0' ? outcome->reply : outcome->cause);
    isolation_look(core, now);
}

void isolation_submitted(struct core *core, int peer, const struct submit_outcome *outcome,
                         struct moment now)
{
    if (outcome->reply_class == REPLY_LOCAL || !isolation_own_relay(core, peer)) {
        return;
    }
    struct isolation *isolation = &core->isolation;
    if (outcome->result == SUBMIT_REFUSED) {
        relay_refused(core, peer, outcome, now);
    } else if (!isolation_is_open(core) ||
               ++isolation->accepted >= core->settings->incidents.close_after) {
        isolation->refusals = 0;
        isolation_look(core, now);
    }
}

static bool relay_refuses_all(const struct core *core, struct moment now)
{
    const struct isolation *isolation = &core->isolation;
    return isolation->refusals >= RELAY_ATTEMPTS && (!isolation->dialogue || isolation->several) &&
           instant_since(now.instant, isolation->refused_since.instant).ns >
               core->settings->incidents.isolated_after.ns;
}

// It may be a part of our server's trouble.
static bool is_of_our_server(const struct core *core, const struct incident *incident)
{
    return incident->kind == INCIDENT_REFUSED
               ? isolation_own_relay(core, incident->subject.peer)
               : incident->kind == INCIDENT_BLIND &&
                     !core->mailboxes[incident->subject.mailbox].foreign_collects;
}

struct instant isolation_decides(const struct core *core, const struct incident *incident,
                                 struct moment now)
{
    const struct isolation *isolation = &core->isolation;
    bool gathers = isolation->refusals > 0 && (!isolation->dialogue || isolation->several) &&
                   is_of_our_server(core, incident);
    struct instant patience =
        instant_add(isolation->refused_since.instant, core->settings->incidents.isolated_after);
    return gathers ? instant_later(now.instant, instant_add(patience, SPAN_SECONDS(2)))
                   : now.instant;
}

// ---- our peers ----

// How many could show that mail flows in a direction, how many show that it does not (or will
// within an interval), and since when.
struct tally {
    unsigned eligible;
    unsigned bad;
    bool found; // one of them has been for long enough to be an incident
    struct walltime since;
};

// Its own trouble is known and no sign of ours.
static bool is_excused(const struct core *core, int peer, struct moment now)
{
    struct subject server = subject_of_server(peer);
    struct span settle = core->settings->maintenance.settle;
    return trouble_find(core, INCIDENT_OVERRUN, &server) != NULL ||
           windows_suppressing(&core->windows, server_name(core, peer), now.wall, settle) != NULL ||
           windows_suppressing(&core->windows, core->settings->server, now.wall, settle) != NULL;
}

// Nothing has come for so long that it will be silent within an interval.
static bool nothing_comes(const struct core *core, int peer, struct moment now,
                          struct walltime *since)
{
    const struct inbound *inbound = &core->peers[peer].inbound;
    struct instant from = path_watched_from(core, peer, inbound->path.watch_from, now);
    struct span limit = path_silence_limit(&core->peers[peer], inbound->sender_interval);
    struct span age = span_add(instant_since(now.instant, from), inbound->sender_interval);
    *since = moment_wall_at(now, from);
    return age.ns > limit.ns;
}

static bool nothing_arrives(const struct core *core, int peer, struct walltime *since)
{
    struct subject path = subject_of_path(peer, OUTBOUND);
    const struct incident *open = trouble_find(core, INCIDENT_REFUSED, &path);
    open = open != NULL ? open : trouble_find(core, INCIDENT_SILENT, &path);
    *since = open == NULL ? WALLTIME_NONE : open->began;
    return open != NULL && core->peers[peer].outbound.path.last_arrival.ns <= open->opened.ns;
}

static bool is_eligible(const struct core *core, int peer, enum direction direction,
                        struct moment now)
{
    bool visible =
        direction == OUTBOUND || (core->peers[peer].collect < 0 && inbound_readable(core));
    return visible && !is_excused(core, peer, now);
}

static bool is_bad(const struct core *core, int peer, enum direction direction, struct moment now,
                   struct walltime *since)
{
    return direction == OUTBOUND ? nothing_arrives(core, peer, since)
                                 : nothing_comes(core, peer, now, since);
}

bool isolation_counts(const struct core *core, int peer, enum direction direction,
                      struct moment now)
{
    struct walltime since;
    return is_eligible(core, peer, direction, now) && is_bad(core, peer, direction, now, &since);
}

static struct tally count_peers(const struct core *core, enum direction direction,
                                struct moment now)
{
    struct tally tally = {.since = now.wall};
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        if (!is_eligible(core, (int)i, direction, now)) {
            continue;
        }
        struct walltime since;
        bool bad = is_bad(core, (int)i, direction, now, &since);
        tally.eligible++;
        tally.bad += bad;
        struct subject path = subject_of_path((int)i, direction);
        tally.found =
            tally.found ||
            (bad && (direction == OUTBOUND || trouble_find(core, INCIDENT_SILENT, &path) != NULL));
        tally.since = bad ? walltime_earlier(tally.since, since) : tally.since;
    }
    return tally;
}

static bool all_is_bad(const struct tally *tally)
{
    bool both = tally->eligible == 2 && tally->bad == 2;
    bool most =
        tally->bad >= ISOLATED_PEERS && tally->bad * 100 >= tally->eligible * ISOLATED_PERCENT;
    return tally->found && (both || most);
}

// ---- together ----

bool isolation_is_open(const struct core *core)
{
    struct subject own = subject_of_server(OWN_SERVER);
    return trouble_find(core, INCIDENT_ISOLATED, &own) != NULL;
}

static void open_isolated(struct core *core, struct walltime began, const struct evidence *evidence,
                          struct moment now)
{
    struct subject own = subject_of_server(OWN_SERVER);
    trouble_open(core, INCIDENT_ISOLATED, &own, incident_rule(INCIDENT_ISOLATED)->severity, began,
                 evidence, now);
}

// What our own relay says, where it refuses, says more than the count of those who miss it.
static void describe(const struct core *core, const struct tally *tally, enum direction direction,
                     struct evidence *evidence)
{
    evidence->late = tally->bad;
    evidence->of = tally->eligible;
    struct text cause = TEXT_OVER(evidence->cause);
    text_format(&cause,
                direction == INBOUND ? "nothing comes from %u of %u peers"
                                     : "nothing reaches %u of %u peers",
                tally->bad, tally->eligible);
    if (core->isolation.refusals > 0) {
        evidence->failures = core->isolation.refusals;
        text_format(&cause, ": %s", core->isolation.cause);
    }
}

// The beginning and the signs of our isolation; false when we are not isolated.
static bool find_isolation(const struct core *core, struct walltime *began,
                           struct evidence *evidence, struct moment now)
{
    const struct isolation *isolation = &core->isolation;
    if (relay_refuses_all(core, now)) {
        *began = isolation->refused_since.wall;
        evidence->failures = isolation->refusals;
        text_copy(evidence->cause, sizeof evidence->cause, isolation->cause);
        return true;
    }
    for (int direction = 0; direction < DIRECTIONS; direction++) {
        struct tally tally = count_peers(core, (enum direction)direction, now);
        if (all_is_bad(&tally)) {
            *began = tally.since;
            describe(core, &tally, (enum direction)direction, evidence);
            return true;
        }
    }
    return false;
}

void isolation_look(struct core *core, struct moment now)
{
    struct isolation *isolation = &core->isolation;
    struct instant due =
        isolation->looked.ns == 0
            ? now.instant
            : instant_later(now.instant, instant_add(isolation->looked, SPAN_SECONDS(1)));
    schedule_set(&core->own_timers, OWN_ISOLATION, due);
}

void isolation_follow(struct core *core, struct moment now)
{
    struct subject own = subject_of_server(OWN_SERVER);
    struct incident *open = trouble_find(core, INCIDENT_ISOLATED, &own);
    struct walltime began = now.wall;
    struct evidence evidence = {0};
    core->isolation.looked = now.instant;
    bool isolated = find_isolation(core, &began, &evidence, now);
    struct instant patience =
        instant_add(core->isolation.refused_since.instant,
                    span_add(core->settings->incidents.isolated_after, SPAN_MS(1)));
    if (core->isolation.refusals > 0 && !instant_reached(now.instant, patience)) {
        schedule_set(&core->own_timers, OWN_ISOLATION, patience);
    }
    if (isolated && open == NULL) {
        open_isolated(core, began, &evidence, now);
    } else if (!isolated && open != NULL && !open->closing && server_has_resumed(core, open)) {
        trouble_close_in_time(core, open, now);
    }
}
