#include "core/server.h"

#include <string.h>

#include "core/drain.h"
#include "core/trouble.h"

const char *server_name(const struct core *core, int peer)
{
    return peer == OWN_SERVER ? core->settings->server : core->peers[peer].settings->name;
}

struct server_state *server_of(struct core *core, int peer)
{
    return peer == OWN_SERVER ? &core->own : &core->peers[peer].server;
}

bool server_find(const struct core *core, const char *name, int *peer)
{
    bool own = strcmp(name, core->settings->server) == 0;
    *peer = own ? OWN_SERVER : core_find_peer(core, name);
    return own || *peer >= 0;
}

void server_peers(const struct core *core, int peer, size_t *first, size_t *last)
{
    *first = peer == OWN_SERVER ? 0 : (size_t)peer;
    *last = peer == OWN_SERVER ? core->settings->peer_count : (size_t)peer + 1;
}

unsigned server_count_in_flight(const struct core *core, const struct incident *incident)
{
    const struct subject *subject = &incident->subject;
    size_t first = 0, last = 0, count = 0;
    if (subject->kind == SUBJECT_SERVER ||
        (subject->kind == SUBJECT_PATH && subject->direction == OUTBOUND)) {
        server_peers(core, subject->peer, &first, &last);
    }
    for (size_t i = first; i < last; i++) {
        count += core->peers[i].outbound.flights.count;
    }
    return (unsigned)count;
}

void server_count_suppressed(struct core *core, const char *server)
{
    int peer;
    if (server_find(core, server, &peer)) {
        server_of(core, peer)->suppressed++;
    }
}

// ---- mail flows again ----

bool server_has_agents(const struct core *core, int peer)
{
    size_t first, last;
    server_peers(core, peer, &first, &last);
    for (size_t i = first; i < last; i++) {
        if (core->peers[i].collect < 0) {
            return true;
        }
    }
    return false;
}

// A server without an agent sends nothing: its one direction is both.
bool server_has_resumed(const struct core *core, const struct incident *incident)
{
    const struct walltime *resumed = incident->aftermath.resumed;
    return walltime_known(resumed[OUTBOUND]) &&
           (walltime_known(resumed[INBOUND]) || !server_has_agents(core, incident->subject.peer));
}

static void resume(struct core *core, enum incident_kind kind, int server, int peer,
                   enum direction direction, const struct probe_record *record, struct moment now)
{
    struct subject subject = subject_of_server(server);
    struct incident *incident = trouble_find(core, kind, &subject);
    if (incident == NULL || incident->closing || record->arrived.ns <= incident->began.ns) {
        return;
    }
    struct aftermath *aftermath = &incident->aftermath;
    struct walltime *resumed = &aftermath->resumed[direction];
    if (!walltime_known(*resumed)) {
        *resumed = record->arrived;
        struct walltime other = aftermath->resumed[direction == INBOUND ? OUTBOUND : INBOUND];
        if (record->arrived.ns >= other.ns) {
            core_path_text(core, peer, direction, aftermath->resumed_by);
        }
        trouble_record(core, incident);
    }
    if (kind != INCIDENT_ISOLATED && server_has_resumed(core, incident)) {
        trouble_close_in_time(core, incident, now);
    }
}

static void credit(struct core *core, enum incident_kind kind, const struct subject *subject,
                   const struct probe_record *record)
{
    struct incident *incident = trouble_find(core, kind, subject);
    if (incident != NULL && record->arrived.ns >= incident->began.ns) {
        incident->aftermath.drained++;
        incident->aftermath.longest = span_longer(incident->aftermath.longest, record->latency);
    }
}

// Whatever held it up counts it, whatever its verdict.
static void credit_all(struct core *core, int peer, enum direction direction,
                       const struct probe_record *record)
{
    const struct subject own = subject_of_server(OWN_SERVER), server = subject_of_server(peer);
    const struct subject path = subject_of_path(peer, direction);
    credit(core, INCIDENT_ISOLATED, &own, record);
    credit(core, INCIDENT_OVERRUN, &own, record);
    credit(core, INCIDENT_OVERRUN, &server, record);
    credit(core, INCIDENT_DOWN, &server, record);
    credit(core, INCIDENT_UNHEARD, &server, record);
    credit(core, INCIDENT_REFUSED, &path, record);
    credit(core, INCIDENT_SILENT, &path, record);
}

void server_arrived(struct core *core, int peer, enum direction direction,
                    const struct probe_record *record, struct moment now)
{
    core->own.last_arrival = walltime_later(core->own.last_arrival, record->arrived);
    struct server_state *server = &core->peers[peer].server;
    server->last_arrival = walltime_later(server->last_arrival, record->arrived);
    if (record->verdict != VERDICT_ON_TIME) {
        credit_all(core, peer, direction, record);
    }
    resume(core, INCIDENT_ISOLATED, OWN_SERVER, peer, direction, record, now);
    resume(core, INCIDENT_OVERRUN, OWN_SERVER, peer, direction, record, now);
    resume(core, INCIDENT_OVERRUN, peer, peer, direction, record, now);
    resume(core, INCIDENT_DOWN, peer, peer, direction, record, now);
    resume(core, INCIDENT_UNHEARD, peer, peer, direction, record, now);
    if (direction == OUTBOUND) {
        drain_arrived(core, peer, record, now);
    }
    clock_finding_look(core, peer, record->arrived, now);
    if (isolation_is_open(core)) {
        isolation_look(core, now);
    }
}

// ---- hooks of every incident ----

// While it is open mail waits for this server. False: for none.
static bool holds_up(const struct incident *incident, int *server)
{
    *server = incident->subject.peer;
    return incident->kind == INCIDENT_ISOLATED || incident->kind == INCIDENT_OVERRUN ||
           incident->kind == INCIDENT_DOWN ||
           (incident->kind == INCIDENT_SILENT && incident->subject.direction == OUTBOUND);
}

void server_opened(struct core *core, struct incident *incident, struct moment now)
{
    int server;
    if (holds_up(incident, &server)) {
        drain_begin_outage(core, server, incident);
    }
    if (incident->kind == INCIDENT_SILENT || incident->kind == INCIDENT_REFUSED) {
        isolation_look(core, now);
    }
    if (incident->kind == INCIDENT_SILENT && incident->subject.direction == INBOUND) {
        down_watch(core, incident->subject.peer, now);
    }
}

void server_closed(struct core *core, const struct incident *incident, struct moment now)
{
    int server;
    if (incident->subject.kind != SUBJECT_GONE && holds_up(incident, &server)) {
        drain_settle(core, server, now);
    }
    schedule_set(&core->own_timers, OWN_OVERRUN, now.instant);
}

void server_configure(struct core *core, struct moment now)
{
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        core->peers[i].greeting = false;
        core->peers[i].greeting_asked = (struct instant){0};
        core_set_timer(core, (int)i, TIMER_GREET, now.instant);
        core_set_timer(core, (int)i, TIMER_DRAIN, now.instant);
    }
    schedule_set(&core->own_timers, OWN_DRAIN, now.instant);
    schedule_set(&core->own_timers, OWN_OVERRUN, now.instant);
    schedule_set(&core->own_timers, OWN_CLOCK, now.instant);
    core->certificate_at = 0;
    schedule_set(&core->own_timers, OWN_CERTIFICATE, now.instant);
}
