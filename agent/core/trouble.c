#include <string.h>

#include "core/state.h"

struct subject subject_of_path(int peer, enum direction direction)
{
    return (struct subject){.kind = SUBJECT_PATH, .peer = peer, .direction = direction};
}

void trouble_subject_text(const struct core *core, const struct subject *subject,
                          char text[SUBJECT_TEXT_SIZE])
{
    if (subject->kind == SUBJECT_MAILBOX) {
        text_copy(text, SUBJECT_TEXT_SIZE, core->mailboxes[subject->mailbox].settings->name);
    } else if (subject->kind == SUBJECT_PATH) {
        core_path_text(core, subject->peer, subject->direction, text);
    }
}

struct incident *trouble_find(const struct core *core, enum incident_kind kind,
                              const struct subject *subject)
{
    int64_t place = incidents_find(&core->incidents, kind, subject);
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
    if (subject->kind == SUBJECT_MAILBOX) {
        return mailbox_of_server(core, subject->mailbox, server);
    }
    return subject->kind == SUBJECT_PATH && path_touches(core, subject->peer, server);
}

static const struct window *suppressing_window(const struct core *core,
                                               const struct incident *incident, struct moment now)
{
    const struct window *longest = NULL;
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        if (window_suppresses(window, now.wall, core->settings->maintenance.settle) &&
            trouble_touches(core, &incident->subject, window->server) &&
            (longest == NULL || window->end.ns > longest->end.ns)) {
            longest = window;
        }
    }
    return longest;
}

static struct span interval_of(const struct core *core, const struct incident *incident)
{
    return incident->subject.kind == SUBJECT_PATH
               ? core->peers[incident->subject.peer].settings->path.interval
               : SPAN_ZERO;
}

struct span trouble_hold(const struct core *core, const struct incident *incident)
{
    if (!incident_rule(incident->kind)->held) {
        return SPAN_ZERO;
    }
    if (core->settings->incidents.hold.ns > 0) {
        return core->settings->incidents.hold;
    }
    struct span hold = span_longer(interval_of(core, incident), SPAN_SECONDS(30));
    return span_shorter(hold, SPAN_MINUTES(5));
}

// The path's probes come through this mailbox.
static bool mailbox_serves(const struct core *core, int mailbox, const struct subject *path)
{
    bool agentless = core->peers[path->peer].collect >= 0;
    return agentless ? core->peers[path->peer].collect == mailbox
                     : path->direction == INBOUND && !core->mailboxes[mailbox].foreign_collects;
}

static bool explains(const struct core *core, const struct incident *cause,
                     const struct incident *symptom)
{
    if (cause->kind >= symptom->kind) {
        return false;
    }
    if (cause->subject.kind == SUBJECT_MAILBOX) {
        return symptom->subject.kind == SUBJECT_PATH &&
               mailbox_serves(core, cause->subject.mailbox, &symptom->subject);
    }
    return subject_equal(&cause->subject, &symptom->subject);
}

static bool has_open_cause(const struct core *core, const struct incident *incident)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        const struct incident *other = core->incidents.places[i];
        if (other != NULL && explains(core, other, incident)) {
            return true;
        }
    }
    return false;
}

// The receiver speaks of a path; the sender of what it knows alone, and of the rest only when the
// receiver has no agent or has not been heard since. Not heard means for as long as would be
// silence: a peer whose next probe is merely not due yet will speak for itself.
static bool ours_to_say(const struct core *core, const struct incident *incident, struct moment now)
{
    if (incident->subject.kind != SUBJECT_PATH || incident->kind == INCIDENT_REFUSED ||
        incident->subject.direction == INBOUND) {
        return true;
    }
    const struct peer *peer = &core->peers[incident->subject.peer];
    struct span unheard = walltime_since(now.wall, peer->heard);
    struct span limit = path_silence_limit(peer, peer->inbound.sender_interval);
    return peer->collect >= 0 || (peer->heard.ns <= incident->opened.ns && unheard.ns > limit.ns);
}

static void record(struct core *core, const struct incident *incident)
{
    core_act(core, ACTION_INCIDENT)->incident = *incident;
}

static void say(struct core *core, const struct incident *incident, enum notice notice)
{
    struct action *action = core_act(core, ACTION_NOTIFY);
    action->incident = *incident;
    action->notice = notice;
}

static void notify(struct core *core, uint32_t place, struct moment now)
{
    struct incident *incident = core->incidents.places[place];
    bool reminder = incident->notified && !incident->worsened;
    enum notice notice = reminder ? NOTICE_REMINDER : NOTICE_FIRING;
    if (incident->evidence.oldest_age.ns > 0) {
        struct walltime told = reminder ? incident->notified_at : incident->opened;
        struct span since = walltime_since(now.wall, told);
        incident->evidence.oldest_age = span_add(incident->evidence.oldest_age, since);
    }
    incident->notified = true;
    incident->worsened = false;
    incident->notified_at = now.wall;
    core->incident_counts[incident->kind][incident->severity].notified++;
    record(core, incident);
    say(core, incident, notice);
    schedule_set(&core->incident_timers, place,
                 instant_add(now.instant, core->settings->incidents.reminder));
}

// Counted and said at info, once for each window that holds it back.
static void suppress(struct core *core, uint32_t place, const struct window *window,
                     struct moment now)
{
    struct incident *incident = core->incidents.places[place];
    if (strcmp(incident->suppressed_by, window->id) != 0) {
        text_copy(incident->suppressed_by, sizeof incident->suppressed_by, window->id);
        core->incident_counts[incident->kind][incident->severity].suppressed++;
        record(core, incident);
        say(core, incident, NOTICE_SUPPRESSED);
    }
    struct walltime until = walltime_add(window->end, core->settings->maintenance.settle);
    schedule_set(&core->incident_timers, place, moment_instant_at(now, until));
}

// What an open cause has kept quiet is looked at again once mail has had time to settle.
static void release_symptoms(struct core *core, const struct incident *cause, struct moment now)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        const struct incident *other = core->incidents.places[i];
        if (other != NULL && !other->notified && explains(core, cause, other)) {
            schedule_set(&core->incident_timers, (uint32_t)i,
                         instant_add(now.instant, core->settings->maintenance.settle));
        }
    }
}

static void close_at(struct core *core, uint32_t place, struct moment now)
{
    struct incident *incident = core->incidents.places[place];
    incident->closed = now.wall;
    if (incident->subject.kind == SUBJECT_PATH && incident->subject.direction == OUTBOUND) {
        const struct outbound *outbound = &core->peers[incident->subject.peer].outbound;
        incident->evidence.in_flight = (unsigned)outbound->flights.count;
    }
    record(core, incident);
    if (incident->notified) {
        say(core, incident, NOTICE_RESOLVED);
    }
    if (incident->subject.kind == SUBJECT_PATH) {
        struct path *path = path_of(core, incident->subject.peer, incident->subject.direction);
        path_close_trouble(path, now.wall, incident->id);
        decisions_restart(&path->decisions);
    }
    if (incident->subject.kind == SUBJECT_MAILBOX) {
        core_watch_mailbox(core, incident->subject.mailbox, now);
    }
    release_symptoms(core, incident, now);
    schedule_set(&core->incident_timers, place, INSTANT_NEVER);
    incidents_remove(&core->incidents, place);
}

void trouble_due(struct core *core, uint32_t place, struct moment now)
{
    struct incident *incident = core->incidents.places[place];
    if (incident->closing) {
        close_at(core, place, now);
        return;
    }
    const struct window *window = suppressing_window(core, incident, now);
    if (has_open_cause(core, incident) || !ours_to_say(core, incident, now)) {
        struct span again = span_longer(trouble_hold(core, incident), SPAN_SECONDS(1));
        schedule_set(&core->incident_timers, place, instant_add(now.instant, again));
    } else if (window != NULL) {
        suppress(core, place, window, now);
    } else {
        notify(core, place, now);
    }
}

void trouble_open(struct core *core, enum incident_kind kind, const struct subject *subject,
                  enum severity severity, struct walltime began, const struct evidence *evidence,
                  struct moment now)
{
    struct incident incident = {
        .kind = kind,
        .severity = severity,
        .subject = *subject,
        .began = began,
        .opened = now.wall,
        .opened_at = now.instant,
        .evidence = *evidence,
    };
    trouble_subject_text(core, subject, incident.subject_text);
    uint32_t place = incidents_add(&core->incidents, &incident);
    const struct incident *opened = core->incidents.places[place];
    core->incident_counts[kind][severity].opened++;
    if (subject->kind == SUBJECT_PATH && kind != INCIDENT_SLOW) {
        path_add_trouble(path_of(core, subject->peer, subject->direction), began, opened->id);
    }
    record(core, opened);
    schedule_set(&core->incident_timers, place,
                 instant_add(now.instant, trouble_hold(core, opened)));
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
    record(core, incident);
    if (incident->notified) {
        incident->worsened = true;
        int64_t place = incidents_find(&core->incidents, incident->kind, &incident->subject);
        schedule_set(&core->incident_timers, (uint32_t)place, now.instant);
    }
}

void trouble_close(struct core *core, enum incident_kind kind, const struct subject *subject,
                   struct moment now)
{
    int64_t place = incidents_find(&core->incidents, kind, subject);
    if (place < 0) {
        return;
    }
    const struct incident *incident = core->incidents.places[place];
    struct instant earliest = instant_add(incident->opened_at, interval_of(core, incident));
    if (instant_reached(now.instant, earliest)) {
        close_at(core, (uint32_t)place, now);
    }
}

// Through the timer, because any number of them may close at once and actions are bounded.
static void close_soon(struct core *core, uint32_t place, struct moment now)
{
    core->incidents.places[place]->closing = true;
    schedule_set(&core->incident_timers, place, now.instant);
}

void trouble_judge_anew(struct core *core, const char *server, struct moment now)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        const struct incident *incident = core->incidents.places[i];
        if (incident != NULL && !incident->notified &&
            trouble_touches(core, &incident->subject, server)) {
            close_soon(core, (uint32_t)i, now);
        }
    }
}

void trouble_orphan(struct core *core, uint32_t place, struct moment now)
{
    core->incidents.places[place]->subject = (struct subject){.kind = SUBJECT_GONE};
    close_soon(core, place, now);
}
