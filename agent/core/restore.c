#include <string.h>

#include "core/state.h"

static void restore_outbound(struct peer *peer, const struct probe_record *record)
{
    struct outbound *outbound = &peer->outbound;
    if (record->slot > outbound->previous_slot && record->state != PROBE_REFUSED) {
        outbound->previous_slot = record->slot;
    }
    if (record->slot >= outbound->next_slot) {
        outbound->next_slot = record->slot + 1;
        outbound->reserved_slot = outbound->next_slot;
    }
    if (record->state == PROBE_ACCEPTED || record->state == PROBE_UNCERTAIN) {
        flights_add(&outbound->flights, &record->id, record->sent);
    }
}

static void restore_inbound(struct peer *peer, const struct probe_record *record, struct moment now)
{
    struct inbound *inbound = &peer->inbound;
    struct receipt receipt = {record->id, record->arrived, record->latency_error};
    inbound_keep_receipt(inbound, &receipt);
    peer->heard = walltime_later(peer->heard, record->arrived);
    if (record->slot > inbound->newest_slot) {
        inbound->newest_slot = record->slot;
    }
    if (record->sent.ns > inbound->path.last_sent.ns) {
        struct walltime next = walltime_add(record->sent, peer->settings->path.interval);
        inbound->path.watch_from = moment_instant_at(now, next);
    }
}

void core_restore_probe(struct core *core, const struct probe_record *record)
{
    int index = core_find_peer(core, record->peer);
    if (index < 0) {
        return;
    }
    struct peer *peer = &core->peers[index];
    if (record->direction == OUTBOUND) {
        restore_outbound(peer, record);
    } else {
        restore_inbound(peer, record, core->last);
    }
    if (record->state == PROBE_ARRIVED) {
        struct path *path = path_of(core, index, record->direction);
        struct span residual = {record->latency.ns - record->excused.ns};
        decisions_add(&path->decisions, record->arrived, record->latency, residual,
                      record->verdict);
        path->last_sent = walltime_later(path->last_sent, record->sent);
        path->last_arrival = record->arrived;
        path->last_latency = record->latency;
        path->last_error = record->latency_error;
    }
}

void core_restore_last_incident(struct core *core, int64_t id)
{
    core->incidents.last_id = id;
}

void core_restore_incident(struct core *core, const struct incident *incident, struct moment now)
{
    struct incident restored = *incident;
    restored.opened_at = moment_instant_at(now, incident->opened);
    uint32_t place = incidents_add(&core->incidents, &restored);
    struct incident *added = core->incidents.places[place];
    if (!core_resolve_subject(core->settings, added->subject_text, &added->subject)) {
        trouble_orphan(core, place, now);
        return;
    }
    if (added->subject.kind == SUBJECT_PATH && added->kind != INCIDENT_SLOW) {
        path_add_trouble(path_of(core, added->subject.peer, added->subject.direction), added->began,
                         added->id);
    }
    struct walltime due = walltime_add(added->notified_at, core->settings->incidents.reminder);
    schedule_set(&core->incident_timers, place,
                 added->notified ? moment_instant_at(now, due) : now.instant);
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

void core_start(struct core *core, struct moment now, struct walltime alive,
                struct walltime started)
{
    struct span settle = core->settings->maintenance.settle;
    struct span gap = walltime_since(now.wall, alive);
    bool seamless = walltime_known(alive) && gap.ns < core_shortest_interval(core).ns;
    bool again = walltime_known(started) && walltime_since(now.wall, started).ns < settle.ns;
    if (!seamless && !again) {
        core->watch_floor = instant_add(now.instant, settle);
    }
    if (walltime_known(alive) && gap.ns > 0) {
        struct moment begin = {moment_instant_at(now, alive), alive};
        core_interrupted(core, begin, now, -1);
    }
    struct walltime followed = walltime_known(alive) ? alive : now.wall;
    for (size_t i = 0; i < core->windows.count; i++) {
        core->windows.items[i].stage = window_stage_at(&core->windows.items[i], followed, settle);
    }
    core->window_due = now.instant;
    core->started = true;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        outbound_configure(core, (int)i, now);
        inbound_configure(core, (int)i, now);
    }
}
