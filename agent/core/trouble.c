#include "core/trouble.h"

#include <string.h>

#include "core/server.h"

struct subject subject_of_path(int peer, enum direction direction)
{
    return (struct subject){.kind = SUBJECT_PATH, .peer = peer, .direction = direction};
}

struct subject subject_of_server(int peer)
{
    return (struct subject){.kind = SUBJECT_SERVER, .peer = peer};
}

struct subject subject_of_mailbox(int mailbox)
{
    return (struct subject){.kind = SUBJECT_MAILBOX, .mailbox = mailbox};
}

static void write_subject(const struct core *core, const struct subject *subject,
                          char text[SUBJECT_TEXT_SIZE])
{
    if (subject->kind == SUBJECT_MAILBOX) {
        text_copy(text, SUBJECT_TEXT_SIZE, core->mailboxes[subject->mailbox].settings->name);
    } else if (subject->kind == SUBJECT_PATH) {
        core_path_text(core, subject->peer, subject->direction, text);
    } else if (subject->kind == SUBJECT_SERVER) {
        text_copy(text, SUBJECT_TEXT_SIZE, server_name(core, subject->peer));
    }
}

struct incident *trouble_find(const struct core *core, enum incident_kind kind,
                              const struct subject *subject)
{
    int64_t place = incidents_find(&core->incidents, kind, subject);
    return place < 0 ? NULL : core->incidents.places[place];
}

struct incident *trouble_find_id(const struct core *core, int64_t id)
{
    int64_t place = incidents_find_id(&core->incidents, id);
    return place < 0 ? NULL : core->incidents.places[place];
}

// A mailbox read for an agentless peer belongs to that peer, else to our server.
static bool mailbox_of_server(const struct core *core, int mailbox, const char *server)
{
    if (!core->mailboxes[mailbox].foreign_collects) {
        return strcmp(server, core->settings->server) == 0;
    }
    int peer = core_find_peer(core, server);
    return peer >= 0 && core->peers[peer].collect == mailbox;
}

bool trouble_touches(const struct core *core, const struct subject *subject, const char *server)
{
    switch (subject->kind) {
    case SUBJECT_MAILBOX:
        return mailbox_of_server(core, subject->mailbox, server);
    case SUBJECT_SERVER: // of another server we know only through our own
        return strcmp(server, core->settings->server) == 0 ||
               strcmp(server, server_name(core, subject->peer)) == 0;
    case SUBJECT_PATH:
        return path_touches(core, subject->peer, server);
    case SUBJECT_GONE:
        break;
    }
    return false;
}

struct span trouble_interval(const struct core *core, const struct incident *incident)
{
    const struct subject *subject = &incident->subject;
    bool of_peer =
        subject->kind == SUBJECT_PATH || (subject->kind == SUBJECT_SERVER && subject->peer >= 0);
    return of_peer ? core->peers[subject->peer].settings->path.interval : SPAN_ZERO;
}

void trouble_record(struct core *core, struct incident *incident)
{
    incident->unwritten = false;
    core_act(core, ACTION_INCIDENT)->incident = *incident;
}

void trouble_set_timer(struct core *core, const struct incident *incident, struct instant due)
{
    int64_t place = incidents_find_id(&core->incidents, incident->id);
    schedule_set(&core->incident_timers, (uint32_t)place, due);
}

// Kinds that explain what came late through them.
static bool holds_up_mail(enum incident_kind kind)
{
    return kind == INCIDENT_ISOLATED || kind == INCIDENT_OVERRUN || kind == INCIDENT_DOWN ||
           kind == INCIDENT_REFUSED || kind == INCIDENT_SILENT || kind == INCIDENT_BLIND;
}

// Does something to every path that the incident is about.
static void each_path(struct core *core, const struct incident *incident,
                      void (*visit)(struct path *path, const struct incident *incident))
{
    const struct subject *subject = &incident->subject;
    if (subject->kind == SUBJECT_PATH) {
        visit(path_of(core, subject->peer, subject->direction), incident);
    }
    for (size_t i = 0; subject->kind == SUBJECT_SERVER && i < core->settings->peer_count; i++) {
        if (subject->peer == OWN_SERVER || subject->peer == (int)i) {
            visit(path_of(core, (int)i, OUTBOUND), incident);
            visit(path_of(core, (int)i, INBOUND), incident);
        }
    }
}

static void add_to_path(struct path *path, const struct incident *incident)
{
    path_add_trouble(path, incident->began, incident->id, (int)incident->kind);
    if (incident->kind == INCIDENT_OVERRUN) {
        path_note_overrun(path, incident->aftermath.planned_end);
    }
}

static void close_on_path(struct path *path, const struct incident *incident)
{
    path_close_trouble(path, incident->closed, incident->id);
}

void trouble_explain(struct core *core, const struct incident *incident)
{
    if (!holds_up_mail(incident->kind)) {
        return;
    }
    each_path(core, incident, add_to_path);
    if (walltime_known(incident->closed)) {
        each_path(core, incident, close_on_path);
    }
}

static void close_at(struct core *core, struct incident *incident, struct moment now)
{
    int64_t place = incidents_find_id(&core->incidents, incident->id);
    struct incident *cause = fold_find_cause(core, incident);
    if (cause != NULL) {
        fold_under(cause, incident);
    }
    incident->closed = now.wall;
    incident->aftermath.in_flight = server_count_in_flight(core, incident);
    if (incident->subject.kind == SUBJECT_PATH && incident->subject.direction == OUTBOUND) {
        incident->evidence.in_flight = incident->aftermath.in_flight;
    }
    flap_turned(core, incident, now);
    trouble_record(core, incident);
    notify_closed(core, incident);
    each_path(core, incident, close_on_path);
    if (incident->subject.kind == SUBJECT_PATH && !fold_stands_alone(incident->kind)) {
        decisions_restart(
            &path_of(core, incident->subject.peer, incident->subject.direction)->decisions);
    }
    schedule_set(&core->incident_timers, (uint32_t)place, INSTANT_NEVER);
    struct incident closed = *incident;
    incidents_remove(&core->incidents, (uint32_t)place);
    fold_release(core, &closed, now);
    way_closed(core, &closed, now);
    if (closed.subject.kind == SUBJECT_MAILBOX) {
        core_watch_mailbox(core, closed.subject.mailbox, now);
    }
    if (closed.kind == INCIDENT_CERTIFICATE) {
        certificate_closed(core, now);
    }
    server_closed(core, &closed, now);
}

void trouble_due(struct core *core, uint32_t place, struct moment now)
{
    struct incident *incident = core->incidents.places[place];
    if (incident->closing || finding_is_over(incident, now)) {
        close_at(core, incident, now);
        return;
    }
    if (incident->unwritten) {
        trouble_record(core, incident);
    }
    notify_due(core, incident, now);
}

static struct incident *open_as(struct core *core, struct incident *fresh, struct moment now)
{
    fresh->opened = now.wall;
    fresh->opened_at = now.instant;
    fresh->last = now.wall;
    write_subject(core, &fresh->subject, fresh->subject_text);
    uint32_t place = incidents_add(&core->incidents, fresh);
    struct incident *opened = core->incidents.places[place];
    core->incident_counts[opened->kind][opened->severity].opened++;
    trouble_explain(core, opened);
    struct incident *cause = fold_find_cause(core, opened);
    opened->cause = cause == NULL ? 0 : cause->id;
    flap_turned(core, opened, now);
    fold_gather(core, opened, now);
    trouble_record(core, opened);
    schedule_set(&core->incident_timers, place,
                 instant_add(now.instant, notify_hold(core, opened)));
    server_opened(core, opened, now);
    return opened;
}

struct incident *trouble_open(struct core *core, enum incident_kind kind,
                              const struct subject *subject, enum severity severity,
                              struct walltime began, const struct evidence *evidence,
                              struct moment now)
{
    struct incident fresh = {.kind = kind,
                             .severity = severity,
                             .subject = *subject,
                             .began = began,
                             .evidence = *evidence};
    return open_as(core, &fresh, now);
}

struct incident *trouble_open_after(struct core *core, enum incident_kind kind,
                                    const struct subject *subject, struct walltime began,
                                    const struct evidence *evidence,
                                    const struct aftermath *aftermath, struct moment now)
{
    struct incident fresh = {.kind = kind,
                             .severity = incident_rule(kind)->severity,
                             .subject = *subject,
                             .began = began,
                             .evidence = *evidence,
                             .aftermath = *aftermath};
    return open_as(core, &fresh, now);
}

void trouble_worsen(struct core *core, struct incident *incident, enum severity severity,
                    const struct evidence *evidence, struct moment now)
{
    incident->evidence = *evidence;
    if (severity <= incident->severity) {
        return;
    }
    incident->severity = severity;
    core->incident_counts[incident->kind][severity].opened++;
    trouble_record(core, incident);
    trouble_renew(core, incident, now);
}

void trouble_renew(struct core *core, struct incident *incident, struct moment now)
{
    if (incident->notified) {
        incident->renewed = true;
        trouble_set_timer(core, incident, now.instant);
    }
}

void trouble_close(struct core *core, enum incident_kind kind, const struct subject *subject,
                   struct moment now)
{
    struct incident *incident = trouble_find(core, kind, subject);
    if (incident == NULL) {
        return;
    }
    struct instant earliest = instant_add(incident->opened_at, trouble_interval(core, incident));
    if (instant_reached(now.instant, earliest)) {
        close_at(core, incident, now);
    }
}

void trouble_close_in_time(struct core *core, struct incident *incident, struct moment now)
{
    struct instant earliest = instant_add(incident->opened_at, trouble_interval(core, incident));
    incident->closing = true;
    trouble_set_timer(core, incident, instant_later(now.instant, earliest));
}

void trouble_close_soon(struct core *core, struct incident *incident, struct moment now)
{
    incident->closing = true;
    trouble_set_timer(core, incident, now.instant);
}

void trouble_judge_anew(struct core *core, const char *server, struct moment now)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        struct incident *incident = core->incidents.places[i];
        if (incident != NULL && !incident->notified &&
            trouble_touches(core, &incident->subject, server)) {
            trouble_close_soon(core, incident, now);
        }
    }
}

void trouble_orphan(struct core *core, uint32_t place, struct moment now)
{
    const struct subject gone = {.kind = SUBJECT_GONE};
    incidents_set_subject(&core->incidents, place, &gone);
    trouble_close_soon(core, core->incidents.places[place], now);
}
