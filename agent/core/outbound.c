#include <string.h>

#include "core/state.h"

enum { SLOT_BLOCK = 100 };

// Between two answers, so that a flush is answered by a few probes and not one by one.
#define ANSWER_SPACING SPAN_SECONDS(20)

static struct outbound *outbound_of(struct core *core, int peer)
{
    return &core->peers[peer].outbound;
}

static struct subject subject_of(int peer)
{
    return subject_of_path(peer, OUTBOUND);
}

static struct span cadence_of(const struct core *core, int peer)
{
    const struct peer *state = &core->peers[peer];
    return state->outbound.thinned ? state->settings->path.thin_interval
                                   : state->settings->path.interval;
}

// A little forward jitter on every slot, so that peers with one interval do not march in step.
static void schedule_slot(struct core *core, int peer)
{
    struct outbound *outbound = outbound_of(core, peer);
    struct span room = span_shorter((struct span){cadence_of(core, peer).ns / 20}, SPAN_SECONDS(1));
    double jitter = random_stream_fraction(&core->random) * (double)room.ns;
    outbound->due = instant_add(outbound->cadence, (struct span){(int64_t)jitter});
    core_set_timer(core, peer, TIMER_SLOT, outbound->due);
}

void outbound_watch_loss(struct core *core, int peer, struct moment now)
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

// Keeps the phase where one is known: slots that passed while nobody was there are left out.
static void find_phase(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    struct span cadence = cadence_of(core, peer);
    int64_t ahead = instant_since(outbound->cadence, now.instant).ns;
    if (outbound->cadence.ns != 0 && ahead <= 0) {
        int64_t passed = -ahead / cadence.ns;
        outbound->cadence = instant_add(outbound->cadence, span_times(cadence, passed + 1));
    } else if (outbound->cadence.ns == 0 || ahead > cadence.ns) {
        double phase = random_stream_fraction(&core->random) * (double)cadence.ns;
        outbound->cadence = instant_add(now.instant, (struct span){(int64_t)phase});
    }
}

// A new path tells the peer of itself soon, whatever its interval.
static void owe_first(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    double wait = random_stream_fraction(&core->random) * (double)SPAN_MINUTES(1).ns;
    if (instant_since(outbound->due, now.instant).ns > SPAN_MINUTES(1).ns) {
        outbound->extra_kind = PROBE_FRESH;
        outbound->extra_due = instant_add(now.instant, (struct span){(int64_t)wait});
    }
}

void outbound_configure(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    if (outbound->next_slot == 0) {
        outbound->next_slot = now.wall.ns / SPAN_SECONDS(1).ns;
        outbound->reserved_slot = outbound->next_slot;
    }
    bool first = outbound->cadence.ns == 0;
    find_phase(core, peer, now);
    schedule_slot(core, peer);
    if (first) {
        outbound->extra_due = INSTANT_NEVER;
        owe_first(core, peer, now);
    }
    core_set_timer(core, peer, TIMER_EXTRA, outbound->extra_due);
    outbound_watch_loss(core, peer, now);
}

static bool outbound_free(struct core *core, int peer)
{
    return outbound_of(core, peer)->sending_count < SENDING_MAXIMUM;
}

static void outbound_send(struct core *core, int peer, enum probe_kind kind, int64_t slot,
                          const struct probe_id *id, struct span next, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    struct action *action = core_act(core, ACTION_SEND);
    action->send.peer = peer;
    action->send.tag = (struct tag){
        .kind = kind,
        .slot = slot,
        .previous = outbound->previous_slot,
        .next = next,
        .drain = core->settings->maintenance.recovery,
        .id = *id,
    };
    text_copy(action->send.tag.from, SERVER_NAME_SIZE, core->settings->server);
    text_copy(action->send.tag.to, SERVER_NAME_SIZE, core->peers[peer].settings->name);
    outbound->sending[outbound->sending_count++] =
        (struct sending){.id = *id, .kind = kind, .slot = slot, .planned = now.wall};
    core->peers[peer].inbound.untold = 0;
    if (kind == PROBE_ANSWER) {
        outbound->extra_from = instant_add(now.instant, ANSWER_SPACING);
    }
    outbound->extra_due = INSTANT_NEVER;
    core_set_timer(core, peer, TIMER_EXTRA, INSTANT_NEVER);
}

static struct probe_id new_id(struct core *core)
{
    struct probe_id id;
    uint64_t halves[2] = {random_stream_next(&core->random), random_stream_next(&core->random)};
    memcpy(id.bytes, halves, sizeof id.bytes);
    return id;
}

static int64_t take_slot(struct core *core, int peer)
{
    struct outbound *outbound = outbound_of(core, peer);
    int64_t slot = outbound->next_slot++;
    if (slot >= outbound->reserved_slot) {
        outbound->reserved_slot = slot + SLOT_BLOCK;
        struct action *action = core_act(core, ACTION_RESERVE_SLOTS);
        action->slots.peer = peer;
        action->slots.reserved = outbound->reserved_slot;
    }
    return slot;
}

static bool peer_is_troubled(const struct core *core, int peer)
{
    struct subject inbound = subject_of_path(peer, INBOUND), outbound = subject_of(peer);
    return trouble_find(core, INCIDENT_SILENT, &inbound) != NULL ||
           trouble_find(core, INCIDENT_SILENT, &outbound) != NULL;
}

// Courtesy to a server that is down: its queue (and ours) need not fill with probes.
static void consider_thinning(struct core *core, int peer)
{
    struct outbound *outbound = outbound_of(core, peer);
    const struct path_settings *settings = &core->peers[peer].settings->path;
    outbound->thinned = settings->thin_interval.ns > settings->interval.ns &&
                        outbound->unanswered + 1 >= settings->thin_after &&
                        peer_is_troubled(core, peer);
}

void outbound_slot(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    consider_thinning(core, peer);
    struct span cadence = cadence_of(core, peer);
    outbound->cadence = instant_add(outbound->cadence, cadence);
    while (instant_reached(now.instant, outbound->cadence)) {
        take_slot(core, peer);
        core->peers[peer].stats.slots_missed++;
        int64_t behind = instant_since(now.instant, outbound->cadence).ns / cadence.ns;
        if (behind > SLOT_BLOCK) { // slept for long: no need to count every tick one by one
            outbound->cadence = instant_add(outbound->cadence, span_times(cadence, behind));
            core->peers[peer].stats.slots_missed += (uint64_t)behind;
            outbound->next_slot += behind;
        }
        outbound->cadence = instant_add(outbound->cadence, cadence);
    }
    schedule_slot(core, peer);
    int64_t slot = take_slot(core, peer);
    if (!outbound_free(core, peer)) {
        core->peers[peer].stats.slots_missed++;
        return;
    }
    struct probe_id id = new_id(core);
    outbound_send(core, peer, PROBE_SLOT, slot, &id, instant_since(outbound->due, now.instant),
                  now);
}

static void send_outside_cadence(struct core *core, int peer, enum probe_kind kind,
                                 const struct probe_id *id, struct moment now)
{
    struct span next = instant_since(outbound_of(core, peer)->due, now.instant);
    outbound_send(core, peer, kind, 0, id, span_longer(next, SPAN_ZERO), now);
}

void outbound_extra(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    if (outbound->extra_due.ns == INSTANT_NEVER.ns) {
        return;
    }
    if (!outbound_free(core, peer)) {
        outbound->extra_due = instant_add(now.instant, SPAN_SECONDS(1));
        core_set_timer(core, peer, TIMER_EXTRA, outbound->extra_due);
        return;
    }
    struct probe_id id = new_id(core);
    send_outside_cadence(core, peer, outbound->extra_kind, &id, now);
}

void outbound_by_hand(struct core *core, int peer, const struct probe_id *id, struct moment now)
{
    if (outbound_free(core, peer)) {
        send_outside_cadence(core, peer, PROBE_HAND, id, now);
    }
}

void outbound_owe(struct core *core, int peer, enum probe_kind kind, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    bool slot_serves = instant_since(outbound->due, now.instant).ns <= SPAN_MINUTES(1).ns;
    if (slot_serves || outbound->extra_due.ns != INSTANT_NEVER.ns) {
        return;
    }
    outbound->extra_kind = kind;
    outbound->extra_due =
        kind == PROBE_ANSWER ? instant_later(now.instant, outbound->extra_from) : now.instant;
    core_set_timer(core, peer, TIMER_EXTRA, outbound->extra_due);
}

void outbound_owe_receipts(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    struct instant due = instant_later(now.instant, outbound->extra_from);
    if (instant_earlier(outbound->due, outbound->extra_due).ns > due.ns) {
        outbound->extra_kind = PROBE_ANSWER;
        outbound->extra_due = due;
        core_set_timer(core, peer, TIMER_EXTRA, due);
    }
}

void outbound_answer_now(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    outbound->extra_kind = PROBE_ANSWER;
    outbound->extra_due = now.instant;
    core_set_timer(core, peer, TIMER_EXTRA, outbound->extra_due);
}

void outbound_resume(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    outbound->unanswered = 0;
    if (outbound->thinned) {
        outbound->thinned = false;
        outbound->cadence = now.instant;
        schedule_slot(core, peer);
    }
}

void outbound_heard(struct core *core, int peer, struct moment now)
{
    core->peers[peer].heard = now.wall;
    outbound_resume(core, peer, now);
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
            histogram_observe(&core->stats.legs[i], &core->edges, span_seconds(outcome->legs[i]));
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
    if (!sent->arrived) {
        flights_add(&outbound->flights, &sent->id, at);
        outbound->unanswered++;
    }
    if (sent->slot > outbound->previous_slot) {
        outbound->previous_slot = sent->slot;
    }
    outbound_watch_loss(core, peer, now);
}

static struct sending *find_sending(struct outbound *outbound, const struct probe_id *id)
{
    for (size_t i = 0; i < outbound->sending_count; i++) {
        if (probe_id_equal(&outbound->sending[i].id, id)) {
            return &outbound->sending[i];
        }
    }
    return NULL;
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

void outbound_submitted(struct core *core, int peer, const struct probe_id *id,
                        const struct submit_outcome *outcome, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    struct sending *found = find_sending(outbound, id);
    if (found == NULL) {
        return; // the configuration dropped the peer and took it up again meanwhile
    }
    struct sending sent = *found;
    *found = outbound->sending[--outbound->sending_count];

    count_submission(core, peer, outcome);
    if (outcome->result != SUBMIT_REFUSED) {
        take_off(core, peer, &sent, outcome, now);
    }
    if (!sent.arrived) {
        record_submission(core, peer, &sent, outcome);
    }
    follow_refusals(core, peer, &sent, outcome, now);
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
    path_arrived(core, peer, OUTBOUND, &record, core->settings->maintenance.recovery, now);
    core_act(core, ACTION_RECORD_PROBE)->probe = record;
}

// Given up as lost, and yet it comes: the ledger is put right, nothing is counted a second time.
static void arrived_after_loss(struct core *core, int peer, const struct receipt *receipt)
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
        }
    }
}

static void outbound_answered(struct core *core, int peer, const struct receipt *receipt,
                              struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    ptrdiff_t place = flights_find(&outbound->flights, &receipt->id);
    if (place < 0) {
        arrived_after_loss(core, peer, receipt);
        return; // as a rule it is known: receipts are repeated until we say that we have them
    }
    struct walltime sent = outbound->flights.items[place].sent;
    flights_remove(&outbound->flights, (size_t)place);
    outbound_watch_loss(core, peer, now);
    arrived(core, peer, receipt, sent, now);
}

void outbound_found(struct core *core, int peer, const struct receipt *receipt,
                    struct walltime sent, struct moment now)
{
    struct sending *sending = find_sending(outbound_of(core, peer), &receipt->id);
    if (sending == NULL) {
        outbound_answered(core, peer, receipt, now);
    } else if (!sending->arrived) {
        sending->arrived = true;
        arrived(core, peer, receipt, sent, now);
    }
}

void outbound_receipts(struct core *core, int peer, const struct receipts *receipts,
                       struct moment now)
{
    struct peer *state = &core->peers[peer];
    bool all_known = true;
    for (size_t i = receipts->count; i > 0; i--) {
        const struct receipt *receipt = &receipts->items[i - 1];
        all_known = all_known && find_sending(&state->outbound, &receipt->id) == NULL;
        outbound_answered(core, peer, receipt, now);
    }
    bool gap = walltime_known(receipts->gap_end);
    struct walltime known = gap ? receipts->gap_begin : receipts->as_of;
    if (all_known) { // what arrived before we know that it was sent is to be told us again
        state->inbound.receipts_seen = walltime_later(state->inbound.receipts_seen, known);
    }
    state->outbound.receipts_as_of =
        walltime_later(state->outbound.receipts_as_of, receipts->as_of);
    inbound_drop_receipts(&state->inbound, receipts->seen);
    if (!gap) {
        outbound_watch(core, peer, receipts->as_of, now);
    }
}

void outbound_watch(struct core *core, int peer, struct walltime as_of, struct moment now)
{
    const struct outbound *outbound = &core->peers[peer].outbound;
    const struct flight *oldest = NULL;
    for (size_t i = 0; i < outbound->flights.count && oldest == NULL; i++) {
        if (outbound->flights.items[i].sent.ns > outbound->path.last_sent.ns) {
            oldest = &outbound->flights.items[i];
        }
    }
    struct subject subject = subject_of(peer);
    if (oldest == NULL || trouble_find(core, INCIDENT_SILENT, &subject) != NULL) {
        return;
    }
    struct instant from =
        instant_later(moment_instant_at(now, oldest->sent), outbound->path.watch_from);
    from = path_watched_from(core, peer, from, now);
    struct span age = instant_since(moment_instant_at(now, as_of), from);
    struct span limit =
        path_silence_limit(&core->peers[peer], core->peers[peer].settings->path.interval);
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
    trouble_open(core, INCIDENT_SILENT, &subject, incident_rule(INCIDENT_SILENT)->severity,
                 oldest->sent, &evidence, now);
}

void outbound_lose(struct core *core, int peer, struct moment now)
{
    struct peer *state = &core->peers[peer];
    struct flights *flights = &state->outbound.flights;
    struct walltime before =
        walltime_add(now.wall, (struct span){-state->settings->path.queue_lifetime.ns});
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
        state->outbound.lost[state->outbound.lost_count++ % LOST_KEPT] = flights->items[0];
        flights_remove(flights, 0);
        path_count_verdict(core, peer, OUTBOUND, VERDICT_LOST);
    }
    outbound_watch_loss(core, peer, now);
}
