#include <string.h>

#include "core/server.h"
#include "core/trouble.h"

enum { SLOT_BLOCK = 100 };

// Between two probes that somebody waits for.
#define URGENT_SPACING SPAN_SECONDS(1)

// Between two answers, so that a flush is answered by a few probes and not one by one; the first
// waits for the whole flush.
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

// Keeps the phase where one is known. False when the path is new, or slots have passed while nobody
// was there: these are left out.
static bool keep_phase(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    struct span cadence = cadence_of(core, peer);
    struct span ahead = instant_since(outbound->cadence, now.instant);
    bool known = outbound->cadence.ns != 0 && ahead.ns <= cadence.ns;
    if (!known) {
        double phase = random_stream_fraction(&core->random) * (double)cadence.ns;
        outbound->cadence = instant_add(now.instant, (struct span){(int64_t)phase});
    } else if (ahead.ns <= 0) {
        int64_t passed = -ahead.ns / cadence.ns + 1;
        outbound->cadence = instant_add(outbound->cadence, span_times(cadence, passed));
    }
    return known && ahead.ns > 0;
}

// The peer has waited, or does not know us yet: it hears from us soon, whatever the interval.
static void owe_sign_of_life(struct core *core, int peer, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    double wait = random_stream_fraction(&core->random) * (double)SPAN_MINUTES(1).ns;
    if (instant_since(outbound->cadence, now.instant).ns > SPAN_MINUTES(1).ns) {
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
    if (outbound->extra_due.ns == 0) {
        outbound->extra_due = INSTANT_NEVER;
    }
    if (!walltime_known(core->peers[peer].looped)) {
        core->peers[peer].looped = now.wall; // what came back before has been told of
    }
    struct span ahead = instant_since(outbound->due, now.instant);
    if (ahead.ns > 0 && ahead.ns <= cadence_of(core, peer).ns) {
        core_set_timer(core, peer, TIMER_SLOT, outbound->due);
    } else {
        if (!keep_phase(core, peer, now)) {
            owe_sign_of_life(core, peer, now);
        }
        schedule_slot(core, peer);
    }
    core_set_timer(core, peer, TIMER_EXTRA, outbound->extra_due);
    fate_watch_loss(core, peer, now);
}

static bool outbound_free(struct core *core, int peer)
{
    return outbound_of(core, peer)->sending_count < SENDING_MAXIMUM;
}

// A kernel that is so unsure vouches for nothing, and an error of that size tells of a step.
static struct span clock_error_to_tell(const struct core *core, int peer, struct moment now)
{
    bool sure = core->clock_error.ns < CLOCK_STEP_LEAST.ns;
    return span_longer(clock_step_error(core, peer, now), sure ? core->clock_error : SPAN_ZERO);
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
        .error = clock_error_to_tell(core, peer, now),
        .id = *id,
    };
    text_copy(action->send.tag.from, SERVER_NAME_SIZE, core->settings->server);
    text_copy(action->send.tag.to, SERVER_NAME_SIZE, core->peers[peer].settings->name);
    *fate_add_sending(outbound) =
        (struct sending){.id = *id, .kind = kind, .slot = slot, .planned = now.wall};
    core->peers[peer].inbound.untold = 0;
    if (kind == PROBE_ANSWER || kind == PROBE_ANNOUNCE) {
        outbound->urgent_from = instant_add(now.instant, URGENT_SPACING);
    }
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

int64_t core_reserve_slots(struct core *core, int peer)
{
    struct outbound *outbound = outbound_of(core, peer);
    double some = random_stream_fraction(&core->random) * SLOT_BLOCK;
    outbound->reserved_slot = outbound->next_slot + SLOT_BLOCK + (int64_t)some;
    return outbound->reserved_slot;
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
    struct subject server = subject_of_server(peer), own = subject_of_server(OWN_SERVER);
    return trouble_find(core, INCIDENT_SILENT, &inbound) != NULL ||
           trouble_find(core, INCIDENT_SILENT, &outbound) != NULL ||
           trouble_find(core, INCIDENT_DOWN, &server) != NULL ||
           trouble_find(core, INCIDENT_OVERRUN, &server) != NULL ||
           trouble_find(core, INCIDENT_OVERRUN, &own) != NULL || isolation_is_open(core);
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
    histogram_observe(&core->stats.slips, &LEG_EDGES,
                      span_seconds(instant_since(now.instant, outbound->due)));
    consider_thinning(core, peer);
    struct span cadence = cadence_of(core, peer);
    outbound->cadence = instant_add(outbound->cadence, cadence);
    while (instant_reached(now.instant, outbound->cadence)) {
        take_slot(core, peer);
        core->peers[peer].stats.slots_missed++;
        int64_t behind = instant_since(now.instant, outbound->cadence).ns / cadence.ns;
        if (behind > SLOT_BLOCK) { // slept for long: no need to count every tick one by one
            outbound->cadence = instant_add(outbound->cadence, span_times(cadence, behind));
            core->peers[peer].stats.slots_missed += (uint32_t)behind;
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
    struct span settle = core->settings->maintenance.settle;
    struct span soon = span_shorter(SPAN_MINUTES(1), (struct span){settle.ns / 2});
    bool slot_serves = instant_since(outbound->cadence, now.instant).ns <= soon.ns;
    if (slot_serves || outbound->extra_due.ns != INSTANT_NEVER.ns) {
        return;
    }
    outbound->extra_kind = kind;
    struct instant whole_flush = instant_add(now.instant, COHORT_SPAN);
    outbound->extra_due =
        kind == PROBE_ANSWER ? instant_later(whole_flush, outbound->extra_from) : now.instant;
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

void outbound_tell_now(struct core *core, int peer, enum probe_kind kind, struct moment now)
{
    struct outbound *outbound = outbound_of(core, peer);
    bool owed = outbound->extra_due.ns != INSTANT_NEVER.ns;
    if (!owed || outbound->extra_kind != PROBE_ANNOUNCE) { // that one is answered, others are not
        outbound->extra_kind = kind;
    }
    struct instant due = instant_later(now.instant, outbound->urgent_from);
    outbound->extra_due = instant_earlier(outbound->extra_due, due);
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
