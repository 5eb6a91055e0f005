#include "core/drain.h"
#include "core/server.h"
#include "core/trouble.h"

// What arrived so long before the as_of that a peer has seen may have been found after it: the peer
// is told it once more.
#define FOUND_LATE SPAN_MINUTES(2)

static void restore_outbound(struct core *core, int index, const struct probe_record *record)
{
    struct peer *peer = &core->peers[index];
    struct outbound *outbound = &peer->outbound;
    if (record->kind == PROBE_SLOT && walltime_known(record->planned) && !core->started) {
        // Sent when it was planned means that a crash came between: as good as missed.
        bool missed = record->state == PROBE_UNCERTAIN && record->sent.ns == record->planned.ns;
        struct span interval = missed ? SPAN_ZERO : peer->settings->path.interval;
        struct walltime next = walltime_add(record->planned, interval);
        outbound->cadence = instant_later(outbound->cadence, moment_instant_at(core->last, next));
    }
    if (record->slot > outbound->previous_slot && record->state != PROBE_REFUSED) {
        outbound->previous_slot = record->slot;
    }
    if (record->slot >= outbound->next_slot) {
        outbound->next_slot = record->slot + 1;
        outbound->reserved_slot = outbound->next_slot;
    }
    if (record->state == PROBE_ARRIVED) {
        told_receipts_remember(&outbound->told, &record->id);
    }
    if (record->state == PROBE_ACCEPTED || record->state == PROBE_UNCERTAIN) {
        struct walltime sent = walltime_known(record->sent) ? record->sent : record->planned;
        flight_mark(flights_add(&outbound->flights, &record->id, sent),
                    record->state == PROBE_UNCERTAIN);
        fate_watch_loss(core, index, core->last);
    }
}

// By a clock of ours that has been put back since: what it says of when tells nothing now.
static bool is_ahead(const struct core *core, const struct probe_record *record)
{
    return record->arrived.ns > core->last.wall.ns;
}

static void restore_inbound(struct core *core, int index, const struct probe_record *record)
{
    struct peer *peer = &core->peers[index];
    struct inbound *inbound = &peer->inbound;
    struct span interval = record->next.ns > 0 ? record->next : peer->settings->path.interval;
    struct receipt receipt = {record->id, record->arrived, record->latency_error};
    if (record->arrived.ns > walltime_subtract(inbound->seen_by_peer, FOUND_LATE).ns) {
        inbound_keep_receipt(inbound, &receipt, WALLTIME_NONE);
    }
    if (record->slot > inbound->newest_slot) {
        inbound->newest_slot = record->slot;
        inbound->sender_interval = interval;
    }
    if (is_ahead(core, record)) {
        return;
    }
    peer->heard = walltime_later(peer->heard, record->arrived);
    if (record->sent.ns > inbound->path.last_sent.ns && !core->started) {
        struct walltime next = walltime_add(record->sent, interval);
        inbound->path.watch_from = moment_instant_at(core->last, next);
    }
}

// Decisions before this have been made: an incident closed, a window ended.
static void restore_decision(const struct core *core, int index, struct path *path,
                             const struct probe_record *record)
{
    struct span residual = span_subtract(record->latency, record->excused);
    decisions_add(&path->decisions, record->arrived, record->latency, record->latency_error,
                  residual, record->verdict);
    struct walltime made = path->decided;
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        struct walltime settled =
            walltime_add(window_until(window), core->settings->maintenance.settle);
        if (path_touches(core, index, window->server) && !window_void(window) &&
            settled.ns < core->last.wall.ns) {
            made = walltime_later(made, settled);
        }
    }
    if (record->arrived.ns <= made.ns) {
        decisions_restart(&path->decisions);
    }
}

void core_restore_probe(struct core *core, const struct probe_record *record)
{
    int index = core_find_peer(core, record->peer);
    if (index < 0) {
        return;
    }
    if (record->direction == OUTBOUND) {
        restore_outbound(core, index, record);
    } else {
        restore_inbound(core, index, record);
    }
    if (record->state == PROBE_ARRIVED && !is_ahead(core, record)) {
        struct path *path = path_of(core, index, record->direction);
        restore_decision(core, index, path, record);
        path_note_resumptions(core, index, record->direction, record);
        path->last_sent = walltime_later(path->last_sent, record->sent);
        path->last_arrival = record->arrived;
        path->last_latency = record->latency;
        path->last_error = record->latency_error;
        struct walltime *own = &core->own.last_arrival;
        struct walltime *server = &core->peers[index].server.last_arrival;
        *own = walltime_later(*own, record->arrived);
        *server = walltime_later(*server, record->arrived);
    }
}

// What it held up may still arrive, decisions begin anew at its close, and notifications that it
// cost are counted with their window.
static void restore_trouble(struct core *core, const struct incident *incident, struct moment now)
{
    trouble_explain(core, incident);
    flap_restore(core, incident, now);
    if (incident->subject.kind == SUBJECT_PATH && walltime_known(incident->closed) &&
        !fold_stands_alone(incident->kind)) {
        struct path *path = path_of(core, incident->subject.peer, incident->subject.direction);
        path->decided = walltime_later(path->decided, incident->closed);
    }
    const struct window *window = windows_find(&core->windows, incident->suppressed_by);
    if (window != NULL) {
        server_count_suppressed(core, window->server);
    }
}

void core_restore_last_incident(struct core *core, int64_t id)
{
    core->incidents.last_id = id;
}

// Our clock may have been put back since, before this start.
static void put_into_the_past(struct incident *incident, struct walltime now)
{
    incident->began = walltime_earlier(incident->began, now);
    incident->opened = walltime_earlier(incident->opened, now);
    incident->notified_at = walltime_earlier(incident->notified_at, now);
    incident->closed = walltime_earlier(incident->closed, now);
}

void core_restore_incident(struct core *core, const struct incident *incident, struct moment now)
{
    struct incident restored = *incident;
    put_into_the_past(&restored, now.wall);
    bool known = core_resolve_subject(core->settings, restored.kind, restored.subject_text,
                                      &restored.subject);
    if (known) {
        restore_trouble(core, &restored, now);
    }
    if (walltime_known(restored.closed)) {
        if (known && (restored.kind == INCIDENT_OVERRUN || restored.kind == INCIDENT_DOWN ||
                      restored.kind == INCIDENT_ISOLATED)) {
            drain_restore_outage(core, &restored);
        }
        return;
    }
    if (known && restored.kind == INCIDENT_BLIND) { // what the earlier run could not see, too
        struct mailbox *mailbox = &core->mailboxes[restored.subject.mailbox];
        mailbox->blind_since = moment_instant_at(now, restored.began);
    }
    if (known && restored.kind == INCIDENT_CLOCK && restored.subject.peer != OWN_SERVER) {
        // how far is to be seen anew
        clock_relation_step(&core->peers[restored.subject.peer].clock, restored.evidence.latency);
    }
    restored.opened_at = moment_instant_at(now, restored.opened);
    restored.last = restored.opened;
    uint32_t place = incidents_add(&core->incidents, &restored);
    if (!known) {
        trouble_orphan(core, place, now);
    }
}

// Our own start settles first; then one that has been notified is reminded of in its time, another
// notified when it has been held for its cause. What a cause kept quiet, which has just closed
// perhaps, waits until mail has settled.
static struct instant first_word(const struct core *core, const struct incident *incident,
                                 struct moment now)
{
    struct walltime due = walltime_add(incident->opened, notify_hold(core, incident));
    if (incident->notified) {
        due = walltime_add(incident->notified_at, core->settings->incidents.reminder);
    } else if (incident->cause != 0) {
        due = walltime_later(due, walltime_add(now.wall, core->settings->maintenance.settle));
    }
    return instant_later(moment_instant_at(now, due), core->watch_floor);
}

static void schedule_restored(struct core *core, struct moment now)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        const struct incident *incident = core->incidents.places[i];
        if (incident != NULL && !incident->closing) {
            schedule_set(&core->incident_timers, (uint32_t)i, first_word(core, incident, now));
        }
    }
}

void core_resettle(struct core *core, struct span before, struct moment now)
{
    struct span settle = core->settings->maintenance.settle;
    if (settle.ns == before.ns) {
        return;
    }
    core->watch_floor = instant_add(core->watch_floor, span_subtract(settle, before));
    core->window_due = now.instant;
    schedule_restored(core, now);
}

void core_restore_window(struct core *core, const struct window *window)
{
    windows_put(&core->windows, window);
}

void core_restore_slots(struct core *core, int peer, int64_t reserved)
{
    struct outbound *outbound = &core->peers[peer].outbound;
    if (reserved > outbound->next_slot) {
        outbound->next_slot = reserved;
        outbound->reserved_slot = reserved;
    }
}

void core_restore_seen(struct core *core, int peer, struct walltime seen)
{
    core->peers[peer].inbound.seen_by_peer = seen;
}

bool core_start(struct core *core, struct moment now, struct walltime alive,
                struct walltime started)
{
    struct span settle = core->settings->maintenance.settle;
    alive = walltime_earlier(alive, now.wall); // our clock may have been put back since
    started = started.ns > now.wall.ns ? WALLTIME_NONE : started;
    struct span gap = walltime_since(now.wall, alive);
    bool seamless = walltime_known(alive) && gap.ns < core_shortest_interval(core).ns;
    bool again = walltime_known(started) && walltime_since(now.wall, started).ns < settle.ns;
    bool counts = !walltime_known(started) || (!seamless && !again);
    struct instant began = counts ? now.instant : moment_instant_at(now, started);
    core->watch_floor = instant_add(began, settle);
    struct walltime followed = walltime_known(alive) ? alive : now.wall;
    for (size_t i = 0; i < core->windows.count; i++) {
        core->windows.items[i].stage = window_stage_at(&core->windows.items[i], followed, settle);
    }
    core->window_due = now.instant;
    core->begun = now.instant;
    core->started = true;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        outbound_configure(core, (int)i, now);
        inbound_configure(core, (int)i, now);
        exchange_configure(core, (int)i, now);
    }
    courier_resume(core, now);
    if (walltime_known(alive) && gap.ns > 0) {
        struct moment begin = {moment_instant_at(now, alive), alive};
        core_interrupted(core, begin, now, -1);
    }
    schedule_restored(core, now);
    drain_restore(core, now);
    server_configure(core, now);
    return counts;
}
