#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/drain.h"
#include "core/server.h"
#include "core/trouble.h"

// Mail that overtakes mail lets less than this seem unseen again.
#define SEEN_BACK_LEAST SPAN_SECONDS(30)

static struct outbound *outbound_of(struct core *core, int peer)
{
    return &core->peers[peer].outbound;
}

static struct subject subject_of(int peer)
{
    return subject_of_path(peer, OUTBOUND);
}

void fate_watch_loss(struct core *core, int peer, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    const struct flights *flights = &state->outbound.flights;
    struct instant due = INSTANT_NEVER;
    if (flights->count > 0) {
        struct walltime end =
            walltime_add(flights->items[0].sent, state->settings->path.queue_lifetime);
        due = moment_instant_at(now, end);
    }
    core_set_timer(core, peer, TIMER_LOST, due);
}

static void count_submission(struct core *core, int peer, const struct submit_outcome *outcome)
{
    struct peer_stats *stats = &core->peers[peer].stats;
    stats->replies[outcome->reply_class]++;
    stats->sent += outcome->result == SUBMIT_ACCEPTED;
    stats->send_failures += outcome->result == SUBMIT_REFUSED;
    stats->sends_uncertain += outcome->result == SUBMIT_UNCERTAIN;
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        if (outcome->legs[i].ns >= 0) {
            histogram_observe(&core->stats.legs[i], &LEG_EDGES, span_seconds(outcome->legs[i]));
        }
    }
}

static void open_refused(struct core *core, int peer, const struct sending *sent,
                         const struct submit_outcome *outcome, struct moment now)
{
    struct evidence evidence = {
        .failures = outbound_of(core, peer)->refused_in_a_row,
        .has_probe = true,
        .probe = sent->id,
    };
    text_copy(evidence.cause, sizeof evidence.cause,
              outcome->reply[0] != '\0' ? outcome->reply : outcome->cause);
    struct subject subject = subject_of(peer);
    struct incident *open = trouble_find(core, INCIDENT_REFUSED, &subject);
    if (open == NULL) {
        trouble_open(core, INCIDENT_REFUSED, &subject, incident_rule(INCIDENT_REFUSED)->severity,
                     outbound_of(core, peer)->refused_since, &evidence, now);
    } else {
        trouble_worsen(core, open, open->severity, &evidence, now);
    }
}

static void follow_refusals(struct core *core, int peer, const struct sending *sent,
                            const struct submit_outcome *outcome, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    const struct incident_settings *rules = &core->settings->incidents;
    if (outcome->reply_class == REPLY_LOCAL) {
        return; // no server has said anything
    }
    if (outcome->result == SUBMIT_REFUSED) {
        outbound->accepted_in_a_row = 0;
        if (outbound->refused_in_a_row == 0) {
            outbound->refused_since = sent->planned;
        }
        if (++outbound->refused_in_a_row >= rules->refused_after) {
            open_refused(core, peer, sent, outcome, now);
        }
    } else if (outcome->result == SUBMIT_ACCEPTED) {
        outbound->refused_in_a_row = 0;
        struct subject subject = subject_of(peer);
        if (++outbound->accepted_in_a_row >= rules->close_after) {
            trouble_close(core, INCIDENT_REFUSED, &subject, now);
        }
    }
}

static void take_off(struct core *core, int peer, const struct sending *sent,
                     const struct submit_outcome *outcome, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    struct walltime at = walltime_known(outcome->sent.wall) ? outcome->sent.wall : sent->planned;
    if (!sent->resolved) {
        flight_mark(flights_add(&outbound->flights, &sent->id, at),
                    outcome->result == SUBMIT_UNCERTAIN);
        outbound->unanswered++;
    }
    if (sent->slot > outbound->previous_slot) {
        outbound->previous_slot = sent->slot;
    }
    fate_watch_loss(core, peer, now);
}

struct sending *fate_add_sending(struct outbound *outbound)
{
    if (outbound->sending == NULL) {
        outbound->sending = memory_checked(calloc(SENDING_MAXIMUM, sizeof *outbound->sending));
    }
    return &outbound->sending[outbound->sending_count++];
}

static void remove_sending(struct outbound *outbound, struct sending *sending)
{
    *sending = outbound->sending[--outbound->sending_count];
    if (outbound->sending_count == 0) {
        free(outbound->sending);
        outbound->sending = NULL;
    }
}

struct sending *fate_find_sending(struct outbound *outbound, const struct probe_id *id)
{
    for (size_t i = 0; i < outbound->sending_count; i++) {
        if (probe_id_equal(&outbound->sending[i].id, id)) {
            return &outbound->sending[i];
        }
    }
    return NULL;
}

bool fate_is_open(struct core *core, int peer, const struct probe_id *id)
{
    struct outbound *outbound = outbound_of(core, peer);
    return fate_find_sending(outbound, id) != NULL || flights_find(&outbound->flights, id) >= 0;
}

static void record_submission(struct core *core, int peer, const struct sending *sent,
                              const struct submit_outcome *outcome)
{
    struct action *action = core_act(core, ACTION_RECORD_PROBE);
    action->probe = (struct probe_record){
        .id = sent->id,
        .direction = OUTBOUND,
        .kind = sent->kind,
        .state = outcome->result == SUBMIT_ACCEPTED  ? PROBE_ACCEPTED
                 : outcome->result == SUBMIT_REFUSED ? PROBE_REFUSED
                                                     : PROBE_UNCERTAIN,
        .slot = sent->slot,
        .planned = sent->planned,
        .sent = outcome->sent.wall,
        .accepted = outcome->accepted.wall,
    };
    text_copy(action->probe.peer, SERVER_NAME_SIZE, core->peers[peer].settings->name);
}

void fate_submitted(struct core *core, int peer, const struct probe_id *id,
                    const struct submit_outcome *outcome, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    struct sending *found = fate_find_sending(outbound, id);
    if (found == NULL) {
        return; // the configuration dropped the peer and took it up again meanwhile
    }
    struct sending sent = *found;
    remove_sending(outbound, found);

    count_submission(core, peer, outcome);
    courier_submitted(core, peer, outcome);
    if (outcome->result != SUBMIT_REFUSED) {
        take_off(core, peer, &sent, outcome, now);
    }
    if (!sent.resolved) {
        record_submission(core, peer, &sent, outcome);
    }
    follow_refusals(core, peer, &sent, outcome, now);
    isolation_submitted(core, peer, outcome, now);
}

static struct probe_record record_of(const struct core *core, int peer,
                                     const struct receipt *receipt, struct walltime sent)
{
    struct probe_record record = {
        .id = receipt->id,
        .direction = OUTBOUND,
        .sent = sent,
        .arrived = receipt->arrived,
        .latency = walltime_since(receipt->arrived, sent),
        .latency_error = receipt->error,
    };
    text_copy(record.peer, SERVER_NAME_SIZE, core->peers[peer].settings->name);
    return record;
}

static void arrived(struct core *core, int peer, const struct receipt *receipt,
                    struct walltime sent, struct moment now)
{
    struct probe_record record = record_of(core, peer, receipt, sent);
    core->peers[peer].passed[OUTBOUND] = now.instant;
    told_receipts_remember(&outbound_of(core, peer)->told, &record.id);
    if (record.latency.ns >= 0) {
        histogram_observe(&core->stats.legs[LEG_TRANSIT], &LEG_EDGES, span_seconds(record.latency));
    }
    path_arrived(core, peer, OUTBOUND, &record, core->settings->maintenance.recovery, now);
    core_act(core, ACTION_RECORD_PROBE)->probe = record;
}

void fate_remember_lost(struct core *core, int peer, const struct flight *flight)
{
    struct outbound *outbound = outbound_of(core, peer);
    if (outbound->lost == NULL) {
        outbound->lost = memory_checked(calloc(LOST_KEPT, sizeof *outbound->lost));
    }
    outbound->lost[outbound->lost_count++ % LOST_KEPT] = *flight;
}

// Given up as lost, and yet it comes: the ledger is put right, nothing is counted a second time.
static bool arrived_after_loss(struct core *core, int peer, const struct receipt *receipt)
{
    struct outbound *outbound = outbound_of(core, peer);
    for (size_t i = 0; i < LOST_KEPT && i < outbound->lost_count; i++) {
        struct flight *lost = &outbound->lost[i];
        if (walltime_known(lost->sent) && probe_id_equal(&lost->id, &receipt->id)) {
            struct probe_record record = record_of(core, peer, receipt, lost->sent);
            path_judge(core, peer, OUTBOUND, &record, core->settings->maintenance.recovery);
            core_act(core, ACTION_RECORD_PROBE)->probe = record;
            core->peers[peer].stats.arrived_after_loss++;
            lost->sent = WALLTIME_NONE;
            return true;
        }
    }
    return false;
}

// False when no such probe is under way. As a rule it was: receipts are repeated until we say that
// we have them.
static bool answered(struct core *core, int peer, const struct receipt *receipt, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    ptrdiff_t place = flights_find(&outbound->flights, &receipt->id);
    if (place < 0) {
        return arrived_after_loss(core, peer, receipt);
    }
    struct walltime sent = outbound->flights.items[place].sent;
    flights_remove(&outbound->flights, (size_t)place);
    fate_watch_loss(core, peer, now);
    arrived(core, peer, receipt, sent, now);
    return true;
}

void fate_found(struct core *core, int peer, const struct receipt *receipt, struct walltime sent,
                struct moment now)
{
    struct sending *sending = fate_find_sending(outbound_of(core, peer), &receipt->id);
    if (sending == NULL || sending->resolved) {
        answered(core, peer, receipt, now);
    } else {
        sending->resolved = true;
        arrived(core, peer, receipt, sent, now);
    }
}

// What the peer's reading of an arrival tells of the two clocks. One that contradicts the exchanges
// was read before or after a step that they do not know, which is its error.
static struct span relate_clocks(struct clock_relation *clock, struct span longest,
                                 struct instant now)
{
    struct span contradiction = clock_relation_contradiction(clock, OUTBOUND, longest, now);
    if (contradiction.ns > 0 && clock_relation_is_tracked(clock, now)) {
        return contradiction;
    }
    clock_relation_observe(clock, OUTBOUND, longest, now);
    return SPAN_ZERO;
}

// The peer has read it off its own clock.
static void read_in_our_clock(struct peer *peer, struct receipt *receipt, struct instant now)
{
    ptrdiff_t place = flights_find(&peer->outbound.flights, &receipt->id);
    if (place >= 0) {
        struct walltime sent = peer->outbound.flights.items[place].sent;
        bool guessed = receipt->error.ns < ARRIVAL_GUESSED.ns;
        struct span after = guessed ? receipt->error : SPAN_ZERO;
        struct span longest = walltime_since(walltime_add(receipt->arrived, after), sent);
        receipt->error = span_add(receipt->error, relate_clocks(&peer->clock, longest, now));
    }
    struct span clocks = clock_relation_correction(&peer->clock, now);
    receipt->arrived = walltime_subtract(receipt->arrived, clocks);
    receipt->error = span_add(receipt->error, clock_relation_error(&peer->clock, now));
}

// Nothing has arrived that is yet to come: what is told of the future is unsure by as much.
static void doubt_the_future(struct receipt *receipt, struct walltime now)
{
    struct span ahead = walltime_since(receipt->arrived, now);
    receipt->error = span_longer(receipt->error, ahead);
}

static void say_unknown(struct core *core, int peer, unsigned count, const struct probe_id *first)
{
    struct action *action = core_act(core, ACTION_SAY_UNKNOWN);
    action->unknown.peer = peer;
    action->unknown.count = count;
    action->unknown.first = *first;
    core->peers[peer].stats.receipts_unknown += count;
}

// Takes the list, oldest first; false when one is of a probe whose submission has not ended yet.
static bool take_list(struct core *core, int peer, const struct receipts *receipts,
                      struct moment now)
{
    struct peer *state = &core->peers[peer];
    struct outbound *outbound = &state->outbound;
    bool in_order = told_receipts_in_order(&outbound->told, receipts, now);
    const struct probe_id *first = NULL;
    unsigned unknown = 0;
    bool all_known = true;
    for (size_t i = receipts->count; i > 0; i--) {
        const struct receipt *told = &receipts->items[i - 1];
        struct receipt receipt = *told;
        bool sending = fate_find_sending(outbound, &receipt.id) != NULL;
        all_known = all_known && !sending;
        read_in_our_clock(state, &receipt, now.instant);
        doubt_the_future(&receipt, now.wall);
        if (!answered(core, peer, &receipt, now) && !sending && in_order &&
            told_receipts_is_news(&outbound->told, told)) {
            unknown++;
            first = first == NULL ? &told->id : first;
        }
    }
    told_receipts_follow(&outbound->told, receipts, now);
    if (unknown > 0) {
        say_unknown(core, peer, unknown, first);
    }
    return all_known;
}

// Further, or back where the peer's clock has been put back: what it then tells us once more we
// know already, but what we would claim to have seen it would tell us never.
static void follow_seen(struct inbound *inbound, struct walltime known)
{
    struct span back = walltime_since(inbound->receipts_seen, known);
    bool stepped = walltime_known(known) && back.ns > SEEN_BACK_LEAST.ns;
    inbound->receipts_seen = stepped ? known : walltime_later(inbound->receipts_seen, known);
}

// What is later than our clock is of one that has been put back since.
struct walltime fate_seen(const struct receipts *receipts, struct moment now)
{
    return receipts->seen.ns <= now.wall.ns ? receipts->seen : WALLTIME_NONE;
}

void fate_receipts(struct core *core, int peer, const struct receipts *receipts, struct moment now)
{
    struct peer *state = &core->peers[peer];
    bool all_known = take_list(core, peer, receipts, now);
    bool gap = walltime_known(receipts->gap_end);
    struct walltime known = gap ? receipts->gap_begin : receipts->as_of;
    if (all_known) { // what arrived before we know that it was sent is to be told us again
        follow_seen(&state->inbound, known);
    }
    struct span later = span_add(clock_relation_correction(&state->clock, now.instant),
                                 clock_relation_error(&state->clock, now.instant));
    struct walltime as_of = walltime_earlier(walltime_subtract(receipts->as_of, later), now.wall);
    state->outbound.receipts_as_of = walltime_later(state->outbound.receipts_as_of, as_of);
    inbound_drop_receipts(&state->inbound, fate_seen(receipts, now));
    if (!gap) {
        state->outbound.receipts_complete = state->outbound.receipts_as_of;
        fate_watch_silence(core, peer, as_of, now);
    }
}

// The oldest probe that nothing sent after it has overtaken, NULL for none.
static const struct flight *oldest_unanswered(const struct outbound *outbound)
{
    for (size_t i = 0; i < outbound->flights.count; i++) {
        if (outbound->flights.items[i].sent.ns > outbound->path.last_sent.ns) {
            return &outbound->flights.items[i];
        }
    }
    return NULL;
}

static struct span silence_limit(const struct core *core, int peer)
{
    return path_silence_limit(&core->peers[peer], core->peers[peer].settings->path.interval);
}

// How old it was when every arrival was known.
static struct span age_of(const struct core *core, int peer, const struct flight *oldest,
                          struct walltime as_of, struct moment now)
{
    struct instant from = instant_later(moment_instant_at(now, oldest->sent),
                                        core->peers[peer].outbound.path.watch_from);
    from = path_watched_from(core, peer, from, now);
    return instant_since(moment_instant_at(now, as_of), from);
}

bool fate_is_silent(const struct core *core, int peer, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    const struct flight *oldest = oldest_unanswered(&state->outbound);
    struct walltime as_of = state->collect >= 0 ? core->mailboxes[state->collect].complete
                                                : state->outbound.receipts_as_of;
    return oldest != NULL &&
           age_of(core, peer, oldest, as_of, now).ns > silence_limit(core, peer).ns;
}

void fate_watch_silence(struct core *core, int peer, struct walltime as_of, struct moment now)
{
    const struct outbound *outbound = &core->peers[peer].outbound;
    const struct flight *oldest = oldest_unanswered(outbound);
    struct subject subject = subject_of(peer);
    if (oldest == NULL || trouble_find(core, INCIDENT_SILENT, &subject) != NULL) {
        return;
    }
    struct span age = age_of(core, peer, oldest, as_of, now);
    struct span limit = silence_limit(core, peer);
    if (age.ns <= limit.ns) {
        return;
    }
    struct evidence evidence = {
        .threshold = limit,
        .oldest_age = age,
        .in_flight = (unsigned)outbound->flights.count,
        .has_probe = true,
        .probe = oldest->id,
    };
    text_copy(evidence.cause, sizeof evidence.cause, bounce_delay_words(core, peer, OUTBOUND));
    trouble_open(core, INCIDENT_SILENT, &subject, incident_rule(INCIDENT_SILENT)->severity,
                 oldest->sent, &evidence, now);
}

void fate_lose(struct core *core, int peer, struct moment now)
{
    struct peer *state = &core->peers[peer];
    struct flights *flights = &state->outbound.flights;
    struct walltime before = walltime_subtract(now.wall, state->settings->path.queue_lifetime);
    if (flights->count > 0 && flights->items[0].sent.ns <= before.ns) {
        struct action *action = core_act(core, ACTION_RECORD_PROBE);
        action->probe = (struct probe_record){
            .id = flights->items[0].id,
            .direction = OUTBOUND,
            .state = PROBE_LOST,
            .verdict = VERDICT_LOST,
            .sent = flights->items[0].sent,
        };
        text_copy(action->probe.peer, SERVER_NAME_SIZE, state->settings->name);
        struct flight lost = flights->items[0];
        fate_remember_lost(core, peer, &lost);
        flights_remove(flights, 0);
        drain_lost(core, peer, lost.sent, now);
        if (!flight_uncertain(&lost)) {
            finding_lost(core, peer, &lost, now);
        }
        path_count_verdict(core, peer, OUTBOUND, VERDICT_LOST);
    }
    fate_watch_loss(core, peer, now);
}
