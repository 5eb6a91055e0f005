#include "simulation/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulation/journal.h"

enum {
    SETTLE = 300,
    READ = 45,
    RECOVERY = 4900,
    // How long after a trouble it may still be heard of: what was held, a thinned sender; what has
    // waited in a queue comes with the last retry.
    ECHO = 900 + 900 + 300,
    ECHO_OF_SLOW = 4300 + 900 + 600,
    ECHO_OF_STUCK = 9000, // of what vanished: after recovery, in a window or not
};

static int seconds_of(struct instant at)
{
    return (int)(at.ns / SPAN_SECONDS(1).ns);
}

static struct claim claim_of(const struct world *world, const struct spoken *spoken)
{
    const char *text = spoken->incident.subject_text, *arrow = strstr(text, "->");
    struct claim claim = {.kind = spoken->incident.kind, .speaker = spoken->node, .to = -1};
    if (spoken->incident.kind == INCIDENT_BLIND) {
        claim.from = spoken->node; // of its own mailbox: it has no other
    } else if (arrow == NULL) {
        claim.from = world_find_server(world, text);
    } else {
        char from[SERVER_NAME_SIZE];
        snprintf(from, sizeof from, "%.*s", (int)(arrow - text), text);
        claim.from = world_find_server(world, from);
        claim.to = world_find_server(world, arrow + 2);
    }
    return claim;
}

static bool announces(const struct spoken *spoken)
{
    return spoken->notice == NOTICE_FIRING || spoken->notice == NOTICE_FLAPPING ||
           spoken->notice == NOTICE_REMINDER;
}

// ---- windows ----

// A notification (an instant) is held back until mail has settled; a trouble must have begun before
// the end, for settle is no time in which another may begin.
static bool holds_back(int begin, int end, int from, int to)
{
    return begin < end && begin <= from && to < end + SETTLE && (from < end || from == to);
}

// Whether a window of this server holds back, by the plan, what goes on from `from` until `to`.
static bool planned(const struct plan *plan, int server, int from, int to)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct piece *piece = &plan->pieces[i];
        int begin, end;
        if (!piece->dropped && piece->kind == PIECE_WINDOW && piece->server == server &&
            piece_window(piece, &begin, &end) && holds_back(begin, end, from, to)) {
            return true;
        }
    }
    return false;
}

static int script_time(const struct world *world, int node, struct walltime at)
{
    return seconds_of(world_time_at(world, node, at));
}

void oracle_known(const struct world *world, int node, size_t count,
                  const struct window *known[PIECES_MAXIMUM])
{
    for (size_t i = 0; i < PIECES_MAXIMUM; i++) {
        known[i] = NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const struct learned *learned = &world->journal->learned[i];
        if (learned->node == node) {
            known[strtoul(learned->window.id + 2, NULL, 10)] = &learned->window; // w-NUMBER
        }
    }
}

// Likewise by what an agent knew at this time: of each window its newest revision.
static bool known(const struct world *world, int node, int server, int from, int to,
                  struct instant at)
{
    const struct journal *journal = world->journal;
    const struct window *newest[PIECES_MAXIMUM];
    size_t count = 0;
    while (count < journal->learned_count && journal->learned[count].at.ns <= at.ns) {
        count++;
    }
    oracle_known(world, node, count, newest);
    for (size_t i = 0; i < PIECES_MAXIMUM; i++) {
        if (newest[i] != NULL && strcmp(newest[i]->server, world->servers[server].name) == 0 &&
            holds_back(script_time(world, node, newest[i]->begin),
                       script_time(world, node, newest[i]->end), from, to)) {
            return true;
        }
    }
    return false;
}

// In a wild world an agent may be cut off, and not know of a window yet.
static bool covered(const struct world *world, const struct plan *plan, int speaker, int server,
                    int from, int to, struct instant at)
{
    return plan->mood == MOOD_WILD ? known(world, speaker, server, from, to, at)
                                   : planned(plan, server, from, to);
}

static bool claim_covered(const struct world *world, const struct plan *plan,
                          const struct claim *claim, struct instant at)
{
    return covered(world, plan, claim->speaker, claim->from, seconds_of(at), seconds_of(at), at) ||
           (claim->to >= 0 &&
            covered(world, plan, claim->speaker, claim->to, seconds_of(at), seconds_of(at), at));
}

// ---- causes ----

// All of the trouble lies inside a window. Settle is for what does not answer yet, not for mail
// that flows, but slowly. A mailbox that is back is seen with the next read.
static bool trouble_covered(const struct world *world, const struct plan *plan,
                            const struct piece *piece, int speaker, struct instant at)
{
    int to = piece->kind == PIECE_DELAY  ? piece->to + SETTLE
             : piece->kind == PIECE_IMAP ? piece->to + READ
                                         : piece->to;
    return covered(world, plan, speaker, piece->server, piece->from, to, at) ||
           (piece_is_of_path(piece) &&
            covered(world, plan, speaker, piece->other, piece->from, to, at));
}

static bool has_cause(const struct world *world, const struct plan *plan, const struct claim *claim,
                      struct instant at)
{
    bool stuck = claim->kind == INCIDENT_STUCK;
    bool outlasts = stuck || claim->kind == INCIDENT_OVERRUN; // what a window does not excuse
    int echo = stuck ? ECHO_OF_STUCK : claim->kind == INCIDENT_SLOW ? ECHO_OF_SLOW : ECHO;
    for (size_t i = 0; i < plan->count; i++) {
        const struct piece *piece = &plan->pieces[i];
        if (!piece->dropped && piece_is_trouble(piece) && piece->from <= seconds_of(at) &&
            seconds_of(at) <= piece->to + echo + 2 * plan->interval && oracle_may(piece, claim) &&
            (outlasts || !trouble_covered(world, plan, piece, claim->speaker, at))) {
            return true;
        }
    }
    return false;
}

static void check_claims(struct world *world, const struct plan *plan)
{
    const struct journal *journal = world->journal;
    for (size_t i = 0; i < journal->spoken_count; i++) {
        const struct spoken *spoken = &journal->spoken[i];
        if (!announces(spoken)) {
            continue;
        }
        struct claim claim = claim_of(world, spoken);
        bool vanished = claim.kind == INCIDENT_STUCK; // no window excuses what never comes
        journal_check(world, plan->mood > MOOD_COVERED || vanished, spoken->node,
                      "notified in a peaceful world");
        journal_check(world, has_cause(world, plan, &claim, spoken->at), spoken->node,
                      "notified without a cause");
        journal_check(world, !claim_covered(world, plan, &claim, spoken->at), spoken->node,
                      "notified inside a window");
    }
}

// ---- duties ----

static bool has_said(const struct world *world, int speaker, unsigned kinds, int from, int to)
{
    const struct journal *journal = world->journal;
    for (size_t i = 0; i < journal->spoken_count; i++) {
        const struct spoken *spoken = &journal->spoken[i];
        int at = seconds_of(spoken->at);
        if (announces(spoken) && spoken->node == speaker && from <= at && at <= to &&
            (kinds >> spoken->incident.kind & 1) != 0) {
            return true;
        }
    }
    return false;
}

// How many incidents an agent has notified. What waited for the next retry through a short outage
// is slow, too.
static unsigned count_said(const struct world *world, int speaker)
{
    const struct journal *journal = world->journal;
    unsigned count = 0;
    for (size_t i = 0; i < journal->spoken_count; i++) {
        const struct spoken *spoken = &journal->spoken[i];
        count += spoken->node == speaker && spoken->notice == NOTICE_FIRING &&
                 spoken->incident.kind != INCIDENT_SLOW;
    }
    return count;
}

static void check_duties(struct world *world, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count && plan->mood == MOOD_SINGLE; i++) {
        const struct piece *piece = &plan->pieces[i];
        for (int n = 0; n < plan->servers && piece_is_trouble(piece) && !piece->dropped; n++) {
            struct duty duty = oracle_duty(plan, piece, n);
            bool due = duty.kinds != 0 && piece->to - piece->from > duty.after &&
                       !planned(plan, n, piece->from, piece->from + duty.within);
            bool said =
                due && has_said(world, n, duty.kinds, piece->from, piece->from + duty.within);
            journal_check(world, said || !due, n, "a trouble was not notified");
            bool of_each_peer = piece->kind == PIECE_STEP && n == piece->server;
            journal_check(world, !due || of_each_peer || count_said(world, n) <= 1, n,
                          "one trouble, two notifications");
            bool concerned =
                duty.kinds != 0 || piece->kind == PIECE_REFUSE || piece->kind == PIECE_BOUNCE;
            journal_check(world, concerned || count_said(world, n) == 0, n,
                          "another's trouble was notified");
        }
    }
}

// ---- ends ----

// A notified incident keeps that to itself until it has passed it to a cause, which speaks for
// both.
static bool has_passed_on(const struct world *world, int node, int64_t id)
{
    const struct ledger *ledger = &world->servers[node].node.ledger;
    for (size_t i = 0; i < ledger->incident_count; i++) {
        const struct incident *incident = &ledger->incidents[i];
        if (incident->id == id) {
            bool waits = incident->flapping; // for an hour of quiet
            return walltime_known(incident->closed) && (waits || !incident->notified);
        }
    }
    return false;
}

static bool has_resolved(const struct world *world, int node, int64_t id)
{
    const struct journal *journal = world->journal;
    for (size_t i = 0; i < journal->spoken_count; i++) {
        const struct spoken *spoken = &journal->spoken[i];
        if (spoken->node == node && spoken->incident.id == id &&
            spoken->notice == NOTICE_RESOLVED) {
            return true;
        }
    }
    return false;
}

// Whoever has been told of something, by itself or by what it is the cause of, hears of its end.
static void check_closed(struct world *world, int node)
{
    const struct ledger *ledger = &world->servers[node].node.ledger;
    for (size_t i = 0; i < ledger->incident_count && !world->servers[node].node.crashed; i++) {
        const struct incident *incident = &ledger->incidents[i];
        bool told = walltime_known(incident->closed) && incident->notified && !incident->flapping;
        journal_check(world, !told || has_resolved(world, node, incident->id), node,
                      "closed, and not a word");
    }
}

// Once all has been well for long, what was said to fire has been said to be over, unless a crash
// came between the row and the word.
static void check_ends(struct world *world)
{
    const struct journal *journal = world->journal;
    for (size_t i = 0; i < journal->spoken_count; i++) {
        const struct spoken *spoken = &journal->spoken[i];
        const struct incident *incident = &spoken->incident;
        bool ended = world->servers[spoken->node].node.crashed ||
                     has_resolved(world, spoken->node, incident->id) ||
                     has_passed_on(world, spoken->node, incident->id);
        bool lasting = incident->kind == INCIDENT_LOST || incident->kind == INCIDENT_BOUNCED ||
                       incident->kind == INCIDENT_STUCK || spoken->notice == NOTICE_SUPPRESSED;
        journal_check(world, ended || lasting, spoken->node, "never said to be over");
    }
    for (int i = 0; i < world->server_count; i++) {
        check_closed(world, i);
    }
}

// ---- verdicts ----

static bool sent_inside(const struct world *world, const struct plan *plan, int node,
                        const struct probe_record *record)
{
    int sent = script_time(world, node, record->sent);
    int arrived = script_time(world, node, record->arrived);
    for (size_t i = 0; i < plan->count; i++) {
        const struct piece *piece = &plan->pieces[i];
        const char *name = world->servers[piece->server].name;
        int begin, end;
        if (!piece->dropped && piece->kind == PIECE_WINDOW && piece_window(piece, &begin, &end) &&
            begin <= sent && sent < end && arrived < end + RECOVERY &&
            (node == piece->server || strcmp(record->peer, name) == 0)) {
            return true;
        }
    }
    return false;
}

// What was sent into a window that everybody knows, and came within recovery, is late to nobody.
static void check_verdicts(struct world *world, const struct plan *plan)
{
    for (int n = 0; n < plan->servers && plan->mood != MOOD_WILD; n++) {
        const struct ledger *ledger = &world->servers[n].node.ledger;
        for (size_t i = 0; i < ledger->row_count; i++) {
            const struct probe_record *record = &ledger->rows[i].record;
            bool late = record->verdict == VERDICT_LATE;
            journal_check(world, !late || !sent_inside(world, plan, n, record), n,
                          "late although a window explains it");
        }
    }
}

void oracle_check(struct world *world, const struct plan *plan)
{
    check_claims(world, plan);
    check_duties(world, plan);
    check_verdicts(world, plan);
    check_ends(world);
    oracle_check_ways(world, plan);
}
