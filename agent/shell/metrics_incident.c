#include <string.h>

#include "shell/metrics_families.h"

// ---- maintenance: this server, then the peers ----

static size_t count_servers(const struct metrics_view *view)
{
    return 1 + core_settings(view->core)->peer_count;
}

static const char *server_at(const struct metrics_view *view, size_t index)
{
    const struct settings *settings = core_settings(view->core);
    return index == 0 ? settings->server : settings->peers[index - 1].name;
}

static bool active_at(const struct window *window, const char *server, struct walltime now)
{
    return window->begin.ns <= now.ns && now.ns < window->end.ns &&
           strcmp(window->server, server) == 0;
}

static void write_maintenance(const struct metric_writer *writer, const struct metrics_view *view,
                              size_t index)
{
    const struct windows *windows = core_windows(view->core);
    const char *server = server_at(view, index);
    bool active[] = {[WINDOW_ROUTINE] = false, [WINDOW_EMERGENCY] = false};
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        active[window->kind] |= active_at(window, server, view->now.wall);
    }
    for (int kind = WINDOW_ROUTINE; kind <= WINDOW_EMERGENCY; kind++) {
        struct metric_labels labels = {
            {{"server", server}, {"kind", window_kind_name((enum window_kind)kind)}}};
        metric_write_count(writer, &labels, active[kind] ? 1 : 0);
    }
}

static void write_maintenance_end(const struct metric_writer *writer,
                                  const struct metrics_view *view, size_t index)
{
    const struct windows *windows = core_windows(view->core);
    struct metric_labels labels = {{{"server", server_at(view, index)}}};
    struct walltime end = WALLTIME_NONE;
    for (size_t i = 0; i < windows->count; i++) {
        if (active_at(&windows->items[i], labels.items[0].value, view->now.wall)) {
            end = walltime_later(end, windows->items[i].end);
        }
    }
    metric_write_time(writer, &labels, end);
}

// How far a window's planned end is behind while no mail has come through again.
static void write_overrun(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    const struct incidents *incidents = core_incidents(view->core);
    struct metric_labels labels = {{{"server", server_at(view, index)}}};
    struct subject server = {.kind = SUBJECT_SERVER,
                             .peer = index == 0 ? OWN_SERVER : (int)index - 1};
    int64_t place = incidents_find(incidents, INCIDENT_OVERRUN, &server);
    struct span overrun = SPAN_ZERO;
    if (place >= 0) {
        overrun = walltime_since(view->now.wall, incidents->places[place]->aftermath.planned_end);
    }
    metric_write_span(writer, &labels, overrun);
}

static void write_unacknowledged(const struct metric_writer *writer,
                                 const struct metrics_view *view, size_t index)
{
    const struct windows *windows = core_windows(view->core);
    const char *server = server_at(view, index);
    struct metric_labels labels = {{{"server", server}}};
    unsigned most = 0;
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        if (view->now.wall.ns < window->end.ns && strcmp(window->server, server) == 0) {
            struct acknowledgement_count count = core_acknowledgement_count(view->core, window);
            most = count.of - count.known > most ? count.of - count.known : most;
        }
    }
    metric_write_count(writer, &labels, most);
}

// ---- incidents by kind and severity ----

static size_t count_incident_kinds(const struct metrics_view *view)
{
    (void)view;
    return (size_t)INCIDENTS * SEVERITIES;
}

struct incident_class {
    enum incident_kind kind;
    enum severity severity;
    struct metric_labels labels;
    const struct incident_counts *counts;
};

static struct incident_class class_at(const struct metrics_view *view, size_t index)
{
    enum incident_kind kind = (enum incident_kind)(index / SEVERITIES);
    enum severity severity = (enum severity)(index % SEVERITIES);
    return (struct incident_class){
        .kind = kind,
        .severity = severity,
        .labels = {{{"kind", incident_kind_name(kind)}, {"severity", severity_name(severity)}}},
        .counts = core_incident_counts(view->core, kind, severity),
    };
}

static void write_open(const struct metric_writer *writer, const struct metrics_view *view,
                       size_t index)
{
    const struct incidents *incidents = core_incidents(view->core);
    struct incident_class class = class_at(view, index);
    uint64_t count = 0;
    for (size_t i = 0; i < incidents->count; i++) {
        const struct incident *incident = incidents->places[i];
        count +=
            incident != NULL && incident->kind == class.kind && incident->severity == class.severity
                ? 1
                : 0;
    }
    metric_write_count(writer, &class.labels, count);
}

static void write_opened(const struct metric_writer *writer, const struct metrics_view *view,
                         size_t index)
{
    struct incident_class class = class_at(view, index);
    metric_write_count(writer, &class.labels, class.counts->opened);
}

static void write_notified(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    struct incident_class class = class_at(view, index);
    metric_write_count(writer, &class.labels, class.counts->notified);
}

static void write_suppressed(const struct metric_writer *writer, const struct metrics_view *view,
                             size_t index)
{
    struct incident_class class = class_at(view, index);
    metric_write_count(writer, &class.labels, class.counts->suppressed);
}

static size_t count_kinds(const struct metrics_view *view)
{
    (void)view;
    return INCIDENTS;
}

static void write_flaps(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    enum incident_kind kind = (enum incident_kind)index;
    struct metric_labels labels = {{{"kind", incident_kind_name(kind)}}};
    uint64_t flaps = 0;
    for (int severity = 0; severity < SEVERITIES; severity++) {
        flaps += core_incident_counts(view->core, kind, (enum severity)severity)->flaps;
    }
    metric_write_count(writer, &labels, flaps);
}

// ---- incidents by subject: the mailboxes, this server, then the peers with their paths ----

static size_t count_subjects(const struct metrics_view *view)
{
    const struct settings *settings = core_settings(view->core);
    return settings->mailbox_count + 1 + settings->peer_count;
}

// Whether an incident of the kind can open on the subject.
static bool concerns(enum incident_kind kind, const struct subject *subject)
{
    bool ours = subject->kind == SUBJECT_SERVER && subject->peer == OWN_SERVER;
    switch (kind) {
    case INCIDENT_ISOLATED:
    case INCIDENT_FORGED:
        return ours;
    case INCIDENT_UNHEARD:
        return subject->kind == SUBJECT_SERVER && !ours;
    case INCIDENT_REFUSED:
    case INCIDENT_BOUNCED:
    case INCIDENT_LOST:
        return subject->kind == SUBJECT_PATH && subject->direction == OUTBOUND;
    case INCIDENT_BLIND:
    case INCIDENT_OVERRUN:
    case INCIDENT_DOWN:
    case INCIDENT_SILENT:
    case INCIDENT_SLOW:
    case INCIDENT_STUCK:
    case INCIDENT_CERTIFICATE:
    case INCIDENT_REROUTED:
    case INCIDENT_UNAUTHENTICATED:
    case INCIDENT_MISPLACED:
    case INCIDENT_CLOCK:
    case INCIDENTS:
        break;
    }
    return incident_rule(kind)->subject == subject->kind;
}

static void write_active(const struct metric_writer *writer, const struct metrics_view *view,
                         const struct subject *subject, const char *text)
{
    const struct incidents *incidents = core_incidents(view->core);
    for (int i = 0; i < INCIDENTS; i++) {
        enum incident_kind kind = (enum incident_kind)i;
        if (concerns(kind, subject)) {
            struct metric_labels labels = {{{"kind", incident_kind_name(kind)}, {"subject", text}}};
            bool active = incidents_find(incidents, kind, subject) >= 0;
            metric_write_count(writer, &labels, active ? 1 : 0);
        }
    }
}

static void write_active_of_peer(const struct metric_writer *writer,
                                 const struct metrics_view *view, int peer)
{
    char text[SUBJECT_TEXT_SIZE];
    struct subject server = {.kind = SUBJECT_SERVER, .peer = peer};
    write_active(writer, view, &server, core_settings(view->core)->peers[peer].name);
    for (int direction = 0; direction < DIRECTIONS; direction++) {
        struct subject path = {
            .kind = SUBJECT_PATH, .peer = peer, .direction = (enum direction)direction};
        core_path_text(view->core, peer, path.direction, text);
        write_active(writer, view, &path, text);
    }
}

static void write_subject(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    const struct settings *settings = core_settings(view->core);
    if (index < settings->mailbox_count) {
        struct subject mailbox = {.kind = SUBJECT_MAILBOX, .mailbox = (int)index};
        write_active(writer, view, &mailbox, settings->mailboxes[index].name);
    } else if (index == settings->mailbox_count) {
        struct subject server = {.kind = SUBJECT_SERVER, .peer = OWN_SERVER};
        write_active(writer, view, &server, settings->server);
    } else {
        write_active_of_peer(writer, view, (int)(index - settings->mailbox_count - 1));
    }
}

// ---- the table ----

static const struct metric_family FAMILIES[] = {
    {"mailflow_maintenance_active", METRIC_GAUGE, "server, kind",
     "1 while a maintenance window is active.", count_servers, write_maintenance},
    {"mailflow_maintenance_end_timestamp_seconds", METRIC_GAUGE, "server",
     "When the active maintenance of the server ends, 0 when there is none.", count_servers,
     write_maintenance_end},
    {"mailflow_maintenance_overrun_seconds", METRIC_GAUGE, "server",
     "How long a maintenance of the server is over while no mail comes through, 0 when none is.",
     count_servers, write_overrun},
    {"mailflow_maintenance_unacknowledged_peers", METRIC_GAUGE, "server",
     "Peers that do not know a window of the server which this agent has announced: of the one "
     "that the fewest know, among those that have not ended.",
     count_servers, write_unacknowledged},
    {"mailflow_incidents_open", METRIC_GAUGE, "kind, severity", "Incidents that are open.",
     count_incident_kinds, write_open},
    {"mailflow_incidents_total", METRIC_COUNTER, "kind, severity", "Incidents that have opened.",
     count_incident_kinds, write_opened},
    {"mailflow_notifications_total", METRIC_COUNTER, "kind, severity",
     "Notifications of incidents.", count_incident_kinds, write_notified},
    {"mailflow_notifications_suppressed_total", METRIC_COUNTER, "kind, severity",
     "Notifications that a maintenance window held back.", count_incident_kinds, write_suppressed},
    {"mailflow_incident_flaps_total", METRIC_COUNTER, "kind",
     "Openings of incidents that open too often to be said one by one.", count_kinds, write_flaps},
    {"mailflow_incident_active", METRIC_GAUGE, "kind, subject",
     "1 while an incident is open on the subject.", count_subjects, write_subject},
};

const struct metric_families METRICS_OF_INCIDENTS = {FAMILIES,
                                                     sizeof FAMILIES / sizeof FAMILIES[0]};
