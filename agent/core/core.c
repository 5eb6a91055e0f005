#include "core/core.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "core/arrival.h"
#include "core/drain.h"
#include "core/server.h"
#include "core/trouble.h"

// A probe from us to us is a check of our own mailbox; what is left of one goes when it is older.
#define LIVE_CHECK_LIFETIME SPAN_MINUTES(10)

struct action *core_act(struct core *core, enum action_kind kind)
{
    assert(core->actions->count < ACTIONS_MAXIMUM);
    struct action *action = &core->actions->items[core->actions->count++];
    *action = (struct action){.kind = kind};
    return action;
}

void core_set_timer(struct core *core, int peer, enum peer_timer timer, struct instant due)
{
    bool sends = timer == TIMER_SLOT || timer == TIMER_EXTRA || timer == TIMER_EXCHANGE;
    schedule_set(&core->peer_timers, (uint32_t)peer * PEER_TIMERS + timer,
                 core->replayed && sends ? INSTANT_NEVER : due);
}

bool core_may_act(const struct core *core)
{
    return core->actions->count + ACTIONS_PER_STEP < ACTIONS_MAXIMUM;
}

int core_find_peer(const struct core *core, const char *name)
{
    return settings_find_peer(core->settings, name);
}

struct span core_shortest_interval(const struct core *core)
{
    struct span shortest = SPAN_HOURS(24);
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        shortest = span_shorter(shortest, core->settings->peers[i].path.interval);
    }
    return shortest;
}

// The path whose arrivals come through this mailbox.
static struct path *path_through(struct core *core, int peer, int mailbox)
{
    const struct peer *state = &core->peers[peer];
    if (state->collect >= 0) {
        return state->collect == mailbox ? path_of(core, peer, OUTBOUND) : NULL;
    }
    return core->mailboxes[mailbox].foreign_collects ? NULL : path_of(core, peer, INBOUND);
}

// The age of what has not come in stands still meanwhile; that of what we sent counts anew.
static void shift_watch(struct path *path, enum direction direction, struct moment begin,
                        struct moment end)
{
    path->gap_begin = begin.instant;
    path->gap_end = end.instant;
    path->watch_from = direction == OUTBOUND ? end.instant : path_skip_gap(path, path->watch_from);
}

void core_interrupted(struct core *core, struct moment begin, struct moment end, int mailbox)
{
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        struct span interval = core->peers[i].settings->path.interval;
        struct path *through = mailbox < 0 ? NULL : path_through(core, (int)i, mailbox);
        bool explains = walltime_since(end.wall, begin.wall).ns > interval.ns;
        for (int direction = 0; direction < DIRECTIONS; direction++) {
            struct path *path = path_of(core, (int)i, (enum direction)direction);
            if (mailbox >= 0 && (through == NULL || path != through)) {
                continue;
            }
            shift_watch(path, (enum direction)direction, begin, end);
            if (explains) {
                path_add_interruption(path, begin.wall, end.wall,
                                      core->settings->maintenance.settle);
            }
        }
        core_set_timer(core, (int)i, TIMER_SILENCE, end.instant);
    }
    struct span settle = core->settings->maintenance.settle;
    struct span blink = span_shorter(core_shortest_interval(core), settle);
    if ((mailbox < 0 || !core->mailboxes[mailbox].foreign_collects) &&
        walltime_since(end.wall, begin.wall).ns > blink.ns) {
        core->seeing_since = end.instant;
        schedule_set(&core->own_timers, OWN_OVERRUN, end.instant);
    }
}

// Called much later than promised: the machine slept, or nobody ran us.
static void notice_sleep(struct core *core, struct moment now)
{
    struct span late = instant_since(now.instant, core->promised);
    struct span tolerated = span_longer(core_shortest_interval(core), HEARTBEAT);
    if (late.ns > tolerated.ns) {
        struct moment begin = {core->promised, moment_wall_at(now, core->promised)};
        core_interrupted(core, begin, now, -1);
    }
}

void core_watch_mailbox(struct core *core, int mailbox, struct moment now)
{
    const struct mailbox *state = &core->mailboxes[mailbox];
    struct instant due = instant_add(state->blind_since, core->settings->incidents.blind_after);
    schedule_set(&core->mailbox_timers, (uint32_t)mailbox,
                 state->readable ? INSTANT_NEVER : instant_later(due, now.instant));
}

static void mailbox_changed(struct core *core, int index, bool readable, const char *cause,
                            struct moment now)
{
    struct mailbox *mailbox = &core->mailboxes[index];
    struct subject subject = {.kind = SUBJECT_MAILBOX, .mailbox = index};
    if (readable) {
        if (!mailbox->readable) {
            struct moment begin = {mailbox->blind_since, moment_wall_at(now, mailbox->blind_since)};
            mailbox->readable = true;
            core_interrupted(core, begin, now, index);
        }
        mailbox->cause[0] = '\0';
        core_watch_mailbox(core, index, now);
        trouble_close(core, INCIDENT_BLIND, &subject, now);
        return;
    }
    text_copy(mailbox->cause, sizeof mailbox->cause, cause);
    mailbox->errors++;
    if (mailbox->readable) {
        mailbox->readable = mailbox->read = false;
        mailbox->blind_since = now.instant;
        core_watch_mailbox(core, index, now);
    }
}

static void mailbox_blind(struct core *core, int index, struct moment now)
{
    struct mailbox *mailbox = &core->mailboxes[index];
    struct subject subject = {.kind = SUBJECT_MAILBOX, .mailbox = index};
    if (mailbox->readable || trouble_find(core, INCIDENT_BLIND, &subject) != NULL) {
        return;
    }
    struct evidence evidence = {.oldest_age = instant_since(now.instant, mailbox->blind_since)};
    text_copy(evidence.cause, sizeof evidence.cause, mailbox->cause);
    trouble_open(core, INCIDENT_BLIND, &subject, incident_rule(INCIDENT_BLIND)->severity,
                 moment_wall_at(now, mailbox->blind_since), &evidence, now);
}

static void collected(struct core *core, int index, struct walltime at, int64_t foreign,
                      struct moment now)
{
    struct mailbox *mailbox = &core->mailboxes[index];
    mailbox->complete = walltime_later(mailbox->complete, at);
    mailbox->foreign_messages = foreign;
    bool first = mailbox->readable && !mailbox->read;
    mailbox->read = mailbox->readable;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        if (mailbox->foreign_collects && core->peers[i].collect == index) {
            fate_watch_silence(core, (int)i, at, now);
        } else if (first && !mailbox->foreign_collects) {
            core_set_timer(core, (int)i, TIMER_SILENCE, now.instant);
        }
    }
    if (first && !mailbox->foreign_collects) {
        schedule_set(&core->own_timers, OWN_OVERRUN, now.instant);
    }
}

// A probe of ours to a server without an agent, found in the mailbox that we read for it.
static void arrived_agentless(struct core *core, int peer, const struct collect_report *report,
                              struct moment now)
{
    struct arrival arrival = arrival_reported(report, report->tag.sent);
    struct receipt receipt = {report->tag.id, arrival.at, arrival.error};
    struct way way = {report->tag.sent, SPAN_ZERO, arrival};
    way_arrived(core, peer, OUTBOUND, report, &way, now);
    outbound_heard(core, peer, now);
    fate_found(core, peer, &receipt, report->tag.sent, now);
}

static void probe_found(struct core *core, int mailbox, enum arrival_known known,
                        const struct collect_report *report, struct moment now)
{
    const struct tag *tag = &report->tag;
    bool from_us = strcmp(tag->from, core->settings->server) == 0;
    bool to_us = strcmp(tag->to, core->settings->server) == 0;
    int peer = core_find_peer(core, from_us ? tag->to : tag->from);
    bool collected_for_it = from_us && peer >= 0 && core->peers[peer].collect == mailbox;
    struct span age = walltime_since(now.wall, tag->sent);

    if (from_us && to_us && age.ns < LIVE_CHECK_LIFETIME.ns) {
        return; // `mailflowctl check --live` waits for it, and takes it away itself
    }
    if (from_us && peer >= 0 && !collected_for_it) {
        loop_found(core, peer, mailbox, tag, now);
        return;
    }
    if (!to_us && !collected_for_it) {
        core->stats.rejected[REJECTED_MISROUTED]++;
        return; // an agent that shares this mailbox may be waiting for it
    }
    core_act(core, ACTION_DELETE);
    if (known == ARRIVAL_SAME) {
        return;
    }
    if (peer < 0) {
        core->stats.rejected[REJECTED_UNKNOWN_PEER]++;
    } else if (known == ARRIVAL_DUPLICATE || age.ns > core->settings->retention.ns) {
        core->peers[peer].stats.duplicates++;
    } else if (collected_for_it) {
        arrived_agentless(core, peer, report, now);
    } else if (to_us && core->peers[peer].collect < 0) {
        inbound_arrived(core, peer, report, now);
    } else {
        core->stats.rejected[REJECTED_MISROUTED]++;
    }
}

static void certificate_of_mailbox(struct core *core, const struct event *event, struct moment now)
{
    struct certificate_endpoint endpoint = {CERTIFICATE_MAILBOX, event->mailbox.mailbox};
    if (event->mailbox.certificate != NULL) {
        certificate_seen(core, &endpoint, event->mailbox.certificate, event->mailbox.cause, now);
    }
}

static void core_dispatch(struct core *core, const struct event *event, struct moment now)
{
    switch (event->kind) {
    case EVENT_TIME:
        break;
    case EVENT_SUBMITTED:
        certificate_submitted(core, event->submitted.peer, &event->submitted.outcome, now);
        fate_submitted(core, event->submitted.peer, &event->submitted.id, &event->submitted.outcome,
                       now);
        break;
    case EVENT_ARRIVAL:
        probe_found(core, event->arrival.mailbox, event->arrival.known, event->arrival.report, now);
        break;
    case EVENT_BOUNCE:
        bounce_reported(core, event->arrival.report, now);
        break;
    case EVENT_REJECTED:
        core->stats.rejected[event->rejected]++;
        if (event->rejected == REJECTED_SIGNATURE) {
            finding_forged(core, now);
        }
        break;
    case EVENT_COLLECTED:
        collected(core, event->collected.mailbox, event->collected.at, event->collected.foreign,
                  now);
        break;
    case EVENT_MAILBOX:
        certificate_of_mailbox(core, event, now);
        mailbox_changed(core, event->mailbox.mailbox, event->mailbox.readable, event->mailbox.cause,
                        now);
        break;
    case EVENT_BY_HAND:
        outbound_by_hand(core, event->by_hand.peer, &event->by_hand.id, now);
        break;
    case EVENT_WINDOW:
        maintenance_put(core, &event->window, now);
        break;
    case EVENT_GREETED:
        down_greeted(core, event->greeted.peer, event->greeted.greeted, event->greeted.cause, now);
        break;
    case EVENT_CLOCK:
        core->clock_error = event->clock_error;
        break;
    case EVENT_EXCHANGE:
        exchange_came(core, event->exchange.peer, event->exchange.exchange, &event->exchange.trip,
                      now);
        break;
    case EVENT_CERTIFICATE:
        certificate_seen(core, &event->certificate.endpoint, event->certificate.certificate,
                         event->certificate.cause, now);
        break;
    case EVENT_EXCHANGE_FAILED:
        exchange_failed(core, event->exchange_failed.peer, event->exchange_failed.cause, now);
        break;
    }
}

static void peer_timer_due(struct core *core, uint32_t key, struct moment now)
{
    int peer = (int)(key / PEER_TIMERS);
    switch ((enum peer_timer)(key % PEER_TIMERS)) {
    case TIMER_SLOT:
        outbound_slot(core, peer, now);
        break;
    case TIMER_EXTRA:
        outbound_extra(core, peer, now);
        break;
    case TIMER_SILENCE:
        inbound_watch(core, peer, now);
        break;
    case TIMER_LOST:
        fate_lose(core, peer, now);
        break;
    case TIMER_EXCHANGE:
        exchange_due(core, peer, now);
        break;
    case TIMER_GREET:
        down_watch(core, peer, now);
        break;
    case TIMER_DRAIN:
        drain_check(core, peer, now);
        break;
    case TIMER_COHORT:
        cohort_follow(core, peer);
        break;
    case PEER_TIMERS:
        break;
    }
}

static void own_timer_due(struct core *core, enum own_timer timer, struct moment now)
{
    switch (timer) {
    case OWN_OVERRUN:
        overrun_follow(core, now);
        break;
    case OWN_ISOLATION:
        isolation_follow(core, now);
        break;
    case OWN_DRAIN:
        drain_check(core, OWN_SERVER, now);
        break;
    case OWN_FLAP:
        flap_follow(core, now);
        break;
    case OWN_CLOCK:
        clock_finding_follow(core, now);
        break;
    case OWN_CERTIFICATE:
        certificate_follow(core, now);
        break;
    }
}

// One timer that is due, in the order windows, own, mailboxes, incidents, peers; false when none
// is.
static bool next_timer(struct core *core, struct moment now)
{
    uint32_t key;
    if (instant_reached(now.instant, core->window_due)) {
        maintenance_follow(core, now);
    } else if (schedule_take(&core->own_timers, now.instant, &key)) {
        own_timer_due(core, (enum own_timer)key, now);
    } else if (schedule_take(&core->mailbox_timers, now.instant, &key)) {
        mailbox_blind(core, (int)key, now);
    } else if (schedule_take(&core->incident_timers, now.instant, &key)) {
        trouble_due(core, key, now);
    } else if (schedule_take(&core->peer_timers, now.instant, &key)) {
        peer_timer_due(core, key, now);
    } else {
        return false;
    }
    return true;
}

void core_handle(struct core *core, const struct event *event, struct moment now,
                 struct actions *actions)
{
    actions->count = 0;
    core->actions = actions;
    clock_step_notice(core, now);
    notice_sleep(core, now);
    core_dispatch(core, event, now);
    while (core_may_act(core) && next_timer(core, now)) {
    }
    core->last = now;
    core->promised = core_next_deadline(core);
    core->actions = NULL;
}

struct instant core_next_deadline(const struct core *core)
{
    struct instant next = instant_add(core->last.instant, HEARTBEAT);
    next = instant_earlier(next, core->window_due);
    next = instant_earlier(next, schedule_next(&core->own_timers));
    next = instant_earlier(next, schedule_next(&core->mailbox_timers));
    next = instant_earlier(next, schedule_next(&core->incident_timers));
    return instant_earlier(next, schedule_next(&core->peer_timers));
}
