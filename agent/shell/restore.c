#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "shell/agent_internal.h"
#include "shell/syslog_socket.h"

struct restoring {
    struct agent *agent;
    struct moment now;
    int64_t probes;
    struct probe_record *interrupted; // were being handed over when the last run ended
    size_t interrupted_count;
};

// Nobody knows whether it went out: it may arrive, so it is in flight.
static void take_interrupted(struct restoring *restoring, struct probe_record *record)
{
    record->state = PROBE_UNCERTAIN;
    record->sent = record->planned;
    size_t size = (restoring->interrupted_count + 1) * sizeof *record;
    restoring->interrupted = memory_checked(realloc(restoring->interrupted, size));
    restoring->interrupted[restoring->interrupted_count++] = *record;
}

static void restore_probe(void *context, const struct probe_record *stored)
{
    struct restoring *restoring = context;
    struct probe_record record = *stored;
    if (record.state == PROBE_SENDING) {
        take_interrupted(restoring, &record);
    }
    core_restore_probe(restoring->agent->core, &record);
    restoring->probes++;
}

static void restore_incident(void *context, const struct incident *incident)
{
    struct restoring *restoring = context;
    core_restore_incident(restoring->agent->core, incident, restoring->now);
}

// Said, or not: the last run ended before it had committed that it was.
static void restore_notice(void *context, int64_t number, const struct incident *incident,
                           enum notice notice)
{
    struct restoring *restoring = context;
    restoring->agent->last_notice = number;
    struct deed *deed = deeds_add(&restoring->agent->deeds, DEED_NOTIFY);
    deed->notify.incident = *incident;
    deed->notify.notice = notice;
    deed->notify.number = number;
    deed->notify.perhaps_again = true;
}

static void restore_window(void *context, const struct window *window)
{
    struct restoring *restoring = context;
    core_restore_window(restoring->agent->core, window);
}

static void restore_acknowledged(void *context, const char *window, uint32_t revision,
                                 const char *peer)
{
    struct restoring *restoring = context;
    core_restore_acknowledged(restoring->agent->core, window, revision, peer);
}

static void restore_slots(void *context, const char *peer, int64_t reserved, struct walltime seen)
{
    struct restoring *restoring = context;
    int index = settings_find_peer(restoring->agent->settings, peer);
    if (index >= 0) {
        core_restore_slots(restoring->agent->core, index, reserved);
        core_restore_seen(restoring->agent->core, index, seen);
    }
}

static void restore_habits(void *context, const char *peer, enum direction direction,
                           const struct habits *habits)
{
    struct restoring *restoring = context;
    int index = settings_find_peer(restoring->agent->settings, peer);
    if (index >= 0) {
        core_restore_habits(restoring->agent->core, index, direction, habits);
    }
}

// How far back a closed incident may still explain a probe that drains, or begin the decisions
// anew.
#define INCIDENTS_BACK SPAN_HOURS(24)

static struct store_restore visitors_of(struct restoring *restoring)
{
    const struct settings *settings = restoring->agent->settings;
    struct span kept = span_add(settings->retention, settings->maintenance.recovery);
    return (struct store_restore){
        .windows_since = walltime_subtract(restoring->now.wall, kept),
        .incidents_since = walltime_subtract(restoring->now.wall, INCIDENTS_BACK),
        .newest = decisions_kept(settings->peer_count, settings->incidents.slow_of),
        .context = restoring,
        .probe = restore_probe,
        .incident = restore_incident,
        .notice = restore_notice,
        .window = restore_window,
        .acknowledged = restore_acknowledged,
        .slots = restore_slots,
        .habits = restore_habits,
    };
}

static void record_interrupted(struct restoring *restoring)
{
    for (size_t i = 0; i < restoring->interrupted_count; i++) {
        store_put_probe(restoring->agent->store, &restoring->interrupted[i]);
    }
    free(restoring->interrupted);
}

static void reserve_slots(struct agent *agent, int peer)
{
    store_put_slots(agent->store, agent->settings->peers[peer].name,
                    core_reserve_slots(agent->core, peer));
}

int64_t agent_restore(struct agent *agent, struct moment now, struct error *error)
{
    struct restoring restoring = {.agent = agent, .now = now};
    const struct store_restore visitors = visitors_of(&restoring);
    struct walltime alive, started;
    core_restore_last_incident(agent->core, store_last_incident(agent->store));
    store_keep_notices(agent->store, SYSLOG_WAITING_MAXIMUM); // more would not wait to be said
    bool restored = store_restore(agent->store, &visitors, &alive, &started, error);
    record_interrupted(&restoring);
    if (!restored) {
        return -1;
    }
    if (core_start(agent->core, now, alive, started)) {
        store_put_started(agent->store, now.wall);
    }
    store_put_alive(agent->store, now.wall);
    for (size_t i = 0; i < agent->settings->peer_count; i++) {
        reserve_slots(agent, (int)i);
    }
    return restoring.probes;
}

void agent_restore_peer(struct agent *agent, const char *peer, struct moment now)
{
    struct restoring restoring = {.agent = agent, .now = now};
    const struct store_restore visitors = visitors_of(&restoring);
    struct error error;
    if (!store_restore_peer(agent->store, &visitors, peer, &error)) {
        journal_ledger_failed(agent->journal, error.message);
    }
    record_interrupted(&restoring);
    reserve_slots(agent, settings_find_peer(agent->settings, peer));
    agent->durable = true;
}
