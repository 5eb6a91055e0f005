#include "replay/timeline.h"

#include <stdlib.h>
#include <string.h>

#include "core/schedule.h"

// Without any sign of the agent for so many of its shortest intervals, it may not have been
// running.
enum { QUIET_INTERVALS = 2 };

// An arrival that the peer knows of.
struct awaited {
    struct walltime arrived;
    struct receipt receipt;
};

struct peer_timeline {
    int64_t last_slot;       // of the newest slot planned, 0 before the first
    struct awaited *awaited; // receipts that have not come yet, oldest first
    size_t awaited_count;
    size_t awaited_room;
};

struct timeline {
    struct store_recorded *recorded;
    const struct settings *settings;
    struct peer_timeline *peers;
    struct span quiet;
    struct recorded_probe row; // read ahead
    int row_peer;
    bool row_known;
    bool ended;
    struct happening *pending; // keys of the schedules: places
    uint32_t *free_places;
    size_t room;
    size_t free_count;
    struct schedule of_probes; // at the wall clock's nanoseconds
    struct schedule of_others;
    struct walltime alive;
    struct happening current;
    struct receipts receipts; // that the current arrival carries
    uint64_t strangers;
};

struct timeline *timeline_create(struct store_recorded *recorded, const struct settings *settings)
{
    struct timeline *timeline = memory_checked(calloc(1, sizeof *timeline));
    timeline->recorded = recorded;
    timeline->settings = settings;
    timeline->peers = memory_checked(calloc(settings->peer_count + 1, sizeof *timeline->peers));
    timeline->quiet = SPAN_HOURS(1);
    for (size_t i = 0; i < settings->peer_count; i++) {
        struct span quiet = span_times(settings->peers[i].path.interval, QUIET_INTERVALS);
        timeline->quiet = span_shorter(timeline->quiet, quiet);
    }
    timeline->quiet = span_longer(timeline->quiet, SPAN_SECONDS(30));
    return timeline;
}

void timeline_destroy(struct timeline *timeline)
{
    if (timeline == NULL) {
        return;
    }
    for (size_t i = 0; i < timeline->settings->peer_count; i++) {
        free(timeline->peers[i].awaited);
    }
    free(timeline->peers);
    free(timeline->pending);
    free(timeline->free_places);
    schedule_free(&timeline->of_probes);
    schedule_free(&timeline->of_others);
    free(timeline);
}

uint64_t timeline_strangers(const struct timeline *timeline)
{
    return timeline->strangers;
}

// ---- what is still to happen ----

static void grow(struct timeline *timeline)
{
    size_t room = timeline->room == 0 ? 64 : timeline->room * 2;
    timeline->pending =
        memory_checked(realloc(timeline->pending, room * sizeof *timeline->pending));
    timeline->free_places =
        memory_checked(realloc(timeline->free_places, room * sizeof *timeline->free_places));
    for (size_t i = room; i > timeline->room; i--) {
        timeline->free_places[timeline->free_count++] = (uint32_t)(i - 1);
    }
    timeline->room = room;
}

static void put(struct timeline *timeline, struct schedule *schedule,
                const struct happening *happening)
{
    if (timeline->free_count == 0) {
        grow(timeline);
    }
    uint32_t place = timeline->free_places[--timeline->free_count];
    timeline->pending[place] = *happening;
    schedule_set(schedule, place, (struct instant){happening->at.ns});
}

static void take(struct timeline *timeline, struct schedule *schedule)
{
    uint32_t place = 0;
    schedule_take(schedule, INSTANT_NEVER, &place);
    timeline->current = timeline->pending[place];
    timeline->free_places[timeline->free_count++] = place;
}

void timeline_add_window(struct timeline *timeline, const struct window *window)
{
    struct happening begins = {.kind = HAPPENING_WINDOW, .at = window->begin, .window = window};
    put(timeline, &timeline->of_others, &begins);
}

void timeline_add_blindness(struct timeline *timeline, int mailbox, struct walltime from,
                            struct walltime until)
{
    struct happening change = {.kind = HAPPENING_UNREADABLE, .at = from, .mailbox = mailbox};
    put(timeline, &timeline->of_others, &change);
    if (walltime_known(until)) {
        change.kind = HAPPENING_READABLE;
        change.at = until;
        put(timeline, &timeline->of_others, &change);
    }
}

// ---- receipts ----

static void await_receipt(struct peer_timeline *peer, const struct probe_record *record)
{
    if (peer->awaited_count == peer->awaited_room) {
        peer->awaited_room = peer->awaited_room == 0 ? 16 : peer->awaited_room * 2;
        peer->awaited =
            memory_checked(realloc(peer->awaited, peer->awaited_room * sizeof *peer->awaited));
    }
    size_t place = peer->awaited_count++;
    while (place > 0 && peer->awaited[place - 1].arrived.ns > record->arrived.ns) {
        peer->awaited[place] = peer->awaited[place - 1];
        place--;
    }
    struct receipt receipt = {record->id, record->arrived, record->latency_error};
    peer->awaited[place] = (struct awaited){record->arrived, receipt};
}

// Those for what had arrived when the peer sent this probe. When there are more than go into one,
// the oldest, and the peer says no more than that.
static void bring_receipts(struct peer_timeline *peer, const struct happening *arrival,
                           struct receipts *receipts)
{
    size_t count = 0;
    *receipts = (struct receipts){.as_of = arrival->probe.record.sent, .seen = arrival->at};
    while (count < peer->awaited_count && count < RECEIPTS_MAXIMUM &&
           peer->awaited[count].arrived.ns <= receipts->as_of.ns) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        receipts->items[i] = peer->awaited[count - 1 - i].receipt;
    }
    receipts->count = count;
    if (count == RECEIPTS_MAXIMUM) {
        receipts->as_of = peer->awaited[count - 1].arrived;
    }
    if (count > 0) { // else there may be no list
        peer->awaited_count -= count;
        memmove(peer->awaited, peer->awaited + count, peer->awaited_count * sizeof *peer->awaited);
    }
}

// ---- rows ----

static bool is_agentless(const struct timeline *timeline, int peer)
{
    return timeline->settings->peers[peer].collect[0] != '\0';
}

// The mailbox that the row names; where it is not configured any more, the one such probes come to.
static int mailbox_of(const struct timeline *timeline, int peer, const char *name)
{
    const struct settings *settings = timeline->settings;
    int mailbox = settings_find_mailbox(settings, name);
    if (is_agentless(timeline, peer)) {
        return settings_find_mailbox(settings, settings->peers[peer].collect);
    }
    for (int i = 0; mailbox < 0 && i < (int)settings->mailbox_count; i++) {
        bool foreign = false;
        for (size_t k = 0; k < settings->peer_count; k++) {
            foreign =
                foreign || strcmp(settings->peers[k].collect, settings->mailboxes[i].name) == 0;
        }
        mailbox = foreign ? -1 : i;
    }
    return mailbox;
}

static struct walltime seen_at(const struct recorded_probe *probe)
{
    return walltime_later(probe->record.arrived, probe->present);
}

static void put_arrival(struct timeline *timeline, int peer, const struct recorded_probe *probe)
{
    struct happening arrival = {
        .kind = HAPPENING_ARRIVED,
        .at = seen_at(probe),
        .peer = peer,
        .mailbox = mailbox_of(timeline, peer, probe->mailbox),
        .probe = *probe,
    };
    if (arrival.mailbox >= 0) {
        put(timeline, &timeline->of_probes, &arrival);
    }
}

// A refusal has no time of its own: the legs that took place say how long it took.
static struct walltime submitted_at(const struct recorded_probe *probe)
{
    struct walltime at = walltime_later(probe->record.planned, probe->record.sent);
    for (int i = 0; i < SUBMIT_LEGS && probe->record.state == PROBE_REFUSED; i++) {
        at = walltime_add(at, span_longer(probe->legs[i], SPAN_ZERO));
    }
    return walltime_later(at, probe->record.accepted);
}

static void follow_outbound(struct timeline *timeline, int peer, const struct recorded_probe *probe)
{
    if (probe->record.state == PROBE_SENDING) {
        return; // the recording ends in the middle of it
    }
    struct happening submitted = {
        .kind = HAPPENING_SUBMITTED, .at = submitted_at(probe), .peer = peer, .probe = *probe};
    put(timeline, &timeline->of_probes, &submitted);
    if (probe->record.state == PROBE_BOUNCED && walltime_known(probe->bounced)) {
        struct happening bounced = submitted;
        bounced.kind = HAPPENING_BOUNCED;
        bounced.at = walltime_later(submitted.at, probe->bounced);
        put(timeline, &timeline->of_probes, &bounced);
    }
    if (!walltime_known(probe->record.arrived)) {
        return;
    }
    if (is_agentless(timeline, peer)) {
        put_arrival(timeline, peer, probe);
    } else {
        await_receipt(&timeline->peers[peer], &probe->record);
    }
}

// Reads on past strangers, and past arrivals, which wait for the time at which they were seen.
static bool read_ahead(struct timeline *timeline, struct error *error)
{
    while (!timeline->row_known && !timeline->ended) {
        bool found;
        if (!store_recorded_next(timeline->recorded, &timeline->row, &found, error)) {
            return false;
        }
        timeline->ended = !found;
        if (!found) {
            continue;
        }
        timeline->row_peer = settings_find_peer(timeline->settings, timeline->row.record.peer);
        if (timeline->row_peer < 0) {
            timeline->strangers++;
        } else if (timeline->row.record.direction == INBOUND) {
            put_arrival(timeline, timeline->row_peer, &timeline->row);
            if (schedule_next(&timeline->of_probes).ns <= timeline->row.noted.ns) {
                return true;
            }
        } else {
            timeline->row_known = true;
        }
    }
    return true;
}

static bool after_gap(const struct timeline *timeline)
{
    const struct probe_record *record = &timeline->row.record;
    int64_t last = timeline->peers[timeline->row_peer].last_slot;
    struct span quiet = walltime_since(timeline->row.noted, timeline->alive);
    return walltime_known(timeline->alive) && quiet.ns > timeline->quiet.ns && last > 0 &&
           record->slot > last + 1;
}

static void take_row(struct timeline *timeline)
{
    timeline->current = (struct happening){
        .kind = HAPPENING_SENDING,
        .at = timeline->row.noted,
        .after_gap = after_gap(timeline),
        .peer = timeline->row_peer,
        .probe = timeline->row,
    };
    if (timeline->row.record.slot > 0) {
        timeline->peers[timeline->row_peer].last_slot = timeline->row.record.slot;
    }
    follow_outbound(timeline, timeline->row_peer, &timeline->row);
    timeline->row_known = false;
}

// Where the next happening is, NULL for the row read ahead. What began while the agent was not
// running, or before there are probes, waits until it runs.
static struct schedule *choose(struct timeline *timeline)
{
    struct instant probes = schedule_next(&timeline->of_probes);
    struct instant others = schedule_next(&timeline->of_others);
    struct instant row = {timeline->row_known ? timeline->row.noted.ns : INT64_MAX};
    bool first = !walltime_known(timeline->alive);
    bool gap = first || (timeline->row_known && after_gap(timeline));
    if (row.ns <= probes.ns) {
        return row.ns <= others.ns || gap ? NULL : &timeline->of_others;
    }
    return probes.ns <= others.ns || first ? &timeline->of_probes : &timeline->of_others;
}

static bool is_over(const struct timeline *timeline)
{
    return !timeline->row_known && schedule_next(&timeline->of_probes).ns == INSTANT_NEVER.ns;
}

static void carry_receipts(struct timeline *timeline)
{
    struct happening *happening = &timeline->current;
    if (happening->kind == HAPPENING_ARRIVED && happening->probe.record.direction == INBOUND &&
        !happening->probe.stripped) {
        bring_receipts(&timeline->peers[happening->peer], happening, &timeline->receipts);
        happening->receipts = &timeline->receipts;
    }
}

bool timeline_next(struct timeline *timeline, const struct happening **out, struct error *error)
{
    *out = NULL;
    if (!read_ahead(timeline, error)) {
        return false;
    }
    if (is_over(timeline)) {
        return true;
    }
    struct schedule *schedule = choose(timeline);
    if (schedule == NULL) {
        take_row(timeline);
    } else {
        take(timeline, schedule);
        carry_receipts(timeline);
    }
    if (schedule != &timeline->of_others) {
        timeline->alive = walltime_later(timeline->alive, timeline->current.at);
    }
    *out = &timeline->current;
    return true;
}
