#include <inttypes.h>
#include <string.h>
#include <syslog.h>

#include "shell/journal_line.h"

static int notice_priority(const struct incident *incident, enum notice notice)
{
    switch (notice) {
    case NOTICE_FIRING:
    case NOTICE_FLAPPING:
    case NOTICE_REMINDER:
        return incident->severity == SEVERITY_CRITICAL ? LOG_CRIT : LOG_WARNING;
    case NOTICE_SUPPRESSED:
        return LOG_INFO;
    case NOTICE_RESOLVED:
    case NOTICES:
        break;
    }
    return LOG_NOTICE;
}

static void put_severity(struct text *line, const struct incident *incident)
{
    journal_put_text(line, "severity", severity_name(incident->severity));
}

static void put_subject(struct text *line, const struct incident *incident)
{
    static const char *const KEYS[] = {
        [SUBJECT_PATH] = "path", [SUBJECT_MAILBOX] = "mailbox", [SUBJECT_SERVER] = "server"};
    journal_put_text(line, KEYS[incident_rule(incident->kind)->subject], incident->subject_text);
}

// ---- while it is open ----

// One row a member, in the order of a line, with the kinds that have it.
struct telling {
    struct text *line;
    const struct incident *incident;
    const struct evidence *evidence; // the incident's
    const struct bounce *bounce;     // of the last probe that came back, or NULL
};

static void put_latency(const struct telling *telling, const char *name)
{
    journal_put_seconds(telling->line, name, telling->evidence->latency);
}

static void put_oldest_age(const struct telling *telling, const char *name)
{
    journal_put_seconds(telling->line, name, telling->evidence->oldest_age);
}

static void put_threshold(const struct telling *telling, const char *name)
{
    journal_put_seconds(telling->line, name, telling->evidence->threshold);
}

static void put_late(const struct telling *telling, const char *name)
{
    text_format(telling->line, " %s=%u/%u", name, telling->evidence->late, telling->evidence->of);
}

static void put_in_flight(const struct telling *telling, const char *name)
{
    text_format(telling->line, " %s=%u", name, telling->evidence->in_flight);
}

static void put_failures(const struct telling *telling, const char *name)
{
    text_format(telling->line, " %s=%u", name, telling->evidence->failures);
}

static struct walltime told_at(const struct incident *incident)
{
    return incident->notified ? incident->notified_at : incident->opened;
}

static void put_window_kind(const struct telling *telling, const char *name)
{
    journal_put_text(telling->line, name,
                     window_kind_name(telling->incident->aftermath.window_kind));
}

static void put_window(const struct telling *telling, const char *name)
{
    journal_put_text(telling->line, name, telling->incident->aftermath.window);
}

static void put_planned_end(const struct telling *telling, const char *name)
{
    journal_put_time(telling->line, name, telling->incident->aftermath.planned_end);
}

static void put_late_by(const struct telling *telling, const char *name)
{
    const struct incident *incident = telling->incident;
    journal_put_seconds(telling->line, name,
                        walltime_since(told_at(incident), incident->aftermath.planned_end));
}

// Nothing comes or goes, or our relay takes nothing.
static void put_isolation(const struct telling *telling, const char *name)
{
    if (telling->evidence->of > 0) {
        put_late(telling, name);
    } else {
        put_failures(telling, "failures");
    }
}

static void put_told_after(const struct telling *telling, const char *name)
{
    const struct incident *incident = telling->incident;
    journal_put_seconds(telling->line, name, walltime_since(told_at(incident), incident->began));
}

static void put_status(const struct telling *telling, const char *name)
{
    if (telling->bounce != NULL) {
        journal_put_text(telling->line, name, telling->bounce->status);
    }
}

static void put_remote(const struct telling *telling, const char *name)
{
    if (telling->bounce != NULL) {
        journal_put_text(telling->line, name, telling->bounce->remote_mta);
    }
}

// Cut to tenths, so that it never promises more than there is.
static void put_days(const struct telling *telling, const char *name)
{
    int64_t tenths = telling->evidence->latency.ns / (SPAN_HOURS(24).ns / 10);
    text_format(telling->line, " %s=%.1f", name, (double)tenths / 10);
}

static void put_route(const struct telling *telling, const char *name)
{
    journal_put_text(telling->line, name, telling->evidence->route);
}

static void put_usual_route(const struct telling *telling, const char *name)
{
    journal_put_text(telling->line, name, telling->evidence->usual_route);
}

static void put_method(const struct telling *telling, const char *name)
{
    journal_put_text(telling->line, name, auth_method_name(telling->evidence->method));
}

static void put_result(const struct telling *telling, const char *name)
{
    journal_put_text(telling->line, name, auth_result_name(telling->evidence->result));
}

static void put_folder(const struct telling *telling, const char *name)
{
    journal_put_text(telling->line, name, telling->evidence->cause);
}

#define OF(kind) (1U << INCIDENT_##kind)

static const struct {
    const char *name;
    unsigned kinds;
    void (*put)(const struct telling *telling, const char *name);
} MEMBERS[] = {
    {"latency", OF(SLOW), put_latency},
    {"overdue", OF(SILENT) | OF(DOWN) | OF(UNHEARD), put_oldest_age},
    {"threshold", OF(SLOW) | OF(SILENT), put_threshold},
    {"late", OF(SLOW), put_late},
    {"kind", OF(OVERRUN), put_window_kind},
    {"window", OF(OVERRUN), put_window},
    {"planned_end", OF(OVERRUN), put_planned_end},
    {"late_by", OF(OVERRUN), put_late_by},
    {"in_flight", OF(OVERRUN) | OF(DOWN) | OF(UNHEARD) | OF(STUCK), put_in_flight},
    {"oldest_age", OF(SLOW) | OF(STUCK), put_oldest_age},
    {"unreadable", OF(BLIND), put_oldest_age},
    {"bad", OF(ISOLATED), put_isolation},
    {"for", OF(ISOLATED), put_told_after},
    {"failures", OF(REFUSED), put_failures},
    {"lost", OF(LOST), put_failures},
    {"bounced", OF(BOUNCED), put_failures},
    {"status", OF(BOUNCED), put_status},
    {"remote", OF(BOUNCED), put_remote},
    {"days_left", OF(CERTIFICATE), put_days},
    {"route", OF(REROUTED), put_route},
    {"usual", OF(REROUTED), put_usual_route},
    {"method", OF(UNAUTHENTICATED), put_method},
    {"result", OF(UNAUTHENTICATED), put_result},
    {"misplaced", OF(MISPLACED), put_late},
    {"folder", OF(MISPLACED), put_folder},
    {"offset", OF(CLOCK), put_latency},
    {"error", OF(CLOCK), put_threshold},
    {"tags", OF(FORGED), put_failures},
};

static void put_evidence(struct text *line, const struct incident *incident,
                         const struct bounce *bounce)
{
    struct telling telling = {line, incident, &incident->evidence, bounce};
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        if ((MEMBERS[i].kinds & (1U << incident->kind)) != 0) {
            MEMBERS[i].put(&telling, MEMBERS[i].name);
        }
    }
}

// Whose fault it is, where others say something of it (or it is ours).
static void put_culprit(struct text *line, const struct cells *cells)
{
    if (cells->culprit != CULPRIT_UNKNOWN) {
        journal_put_text(line, "culprit", culprit_name(cells->culprit));
    }
    if (cells->of > 1) {
        text_format(line, " seen_by=%u/%u", cells->seen_by, cells->of);
    }
}

// Which hop took longest, between which two stations.
static void put_hop(struct text *line, const struct slowest_hop *hop)
{
    if (hop->to[0] != '\0') {
        journal_put_text(line, "hop", hop->to);
        journal_put_seconds(line, "hop_delay", hop->delay);
        journal_put_text(line, "hop_from", hop->from);
    }
}

// What was said, perhaps, before a crash: known by its number here and there.
static void put_number(struct text *line, const struct incident_notice *said)
{
    text_format(line, " incident=%" PRId64, said->incident->id);
    if (said->perhaps_again) {
        journal_put_text(line, "repeated", "maybe");
    }
}

static void put_opening(struct text *line, const struct incident_notice *said)
{
    const struct incident *incident = said->incident;
    const struct bounce *bounce = said->bounce;
    const struct evidence *evidence = &incident->evidence;
    char id[PROBE_ID_TEXT];
    put_severity(line, incident);
    put_subject(line, incident);
    put_evidence(line, incident, bounce);
    put_culprit(line, &incident->cells);
    put_number(line, said);
    if (evidence->has_probe) {
        text_format(line, " probe=%s", probe_id_format(&evidence->probe, id));
    }
    journal_put_text(line, "maintenance",
                     incident->suppressed_by[0] == '\0' ? "none" : incident->suppressed_by);
    put_hop(line, &evidence->hop); // before words of others, which may be long
    const char *cause = bounce != NULL ? bounce->diagnostic : evidence->cause;
    if (cause[0] != '\0' && incident->kind != INCIDENT_MISPLACED) {
        journal_put_text(line, "cause", cause);
    }
    if (said->smtp[0] != '\0') {
        journal_put_text(line, "smtp", said->smtp);
    }
    if (incident->cells.paths[0] != '\0') { // last: what may be cut off a long line
        journal_put_text(line, "cells", incident->cells.paths);
    }
}

// ---- when it is over ----

// Mail came through again in both directions, or there is a reason why it need not, or the server
// is not in the configuration any more.
static void put_overrun_end(struct text *line, const struct incident *incident)
{
    const struct aftermath *aftermath = &incident->aftermath;
    struct walltime resumed =
        walltime_later(aftermath->resumed[OUTBOUND], aftermath->resumed[INBOUND]);
    journal_put_time(line, "planned_end", aftermath->planned_end);
    if (strcmp(incident->evidence.cause, OVERRUN_EXTENDED) == 0) {
        journal_put_text(line, "reason", OVERRUN_EXTENDED);
    } else if (!walltime_known(resumed)) {
        journal_put_time(line, "closed", incident->closed);
    } else {
        journal_put_time(line, "resumed", resumed);
        journal_put_seconds(line, "overran", walltime_since(resumed, aftermath->planned_end));
    }
}

static void put_life(struct text *line, const struct incident *incident)
{
    put_severity(line, incident);
    put_subject(line, incident);
    journal_put_time(line, "began", incident->began);
    journal_put_time(line, "closed", incident->closed);
    journal_put_seconds(line, "duration", walltime_since(incident->closed, incident->began));
}

// Mail comes as it used to again, or has come the other way for so long that this is the way now.
static void put_way_end(struct text *line, const struct incident *incident)
{
    struct span kept = incident_rule(INCIDENT_REROUTED)->kept;
    bool accepted = walltime_since(incident->closed, incident->opened).ns >= kept.ns;
    journal_put_text(line, "reason", accepted ? "accepted" : "back");
}

static void put_closing(struct text *line, const struct incident_notice *said)
{
    const struct incident *incident = said->incident;
    const struct aftermath *aftermath = &incident->aftermath;
    if (incident->kind == INCIDENT_OVERRUN) {
        put_subject(line, incident);
        put_overrun_end(line, incident);
    } else {
        put_life(line, incident);
    }
    if (incident->kind == INCIDENT_REROUTED) {
        put_way_end(line, incident);
    } else if (incident->end != END_WELL) {
        journal_put_text(line, "reason", incident_end_name(incident->end));
    }
    text_format(line, " drained=%u lost=%u in_flight=%u suppressed=%u", aftermath->drained,
                aftermath->lost, aftermath->in_flight, aftermath->suppressed);
    journal_put_seconds(line, "longest", aftermath->longest);
    if (aftermath->resumed_by[0] != '\0') {
        journal_put_text(line, "resumed_by", aftermath->resumed_by);
    }
    put_number(line, said);
    if (incident->ended[0] != '\0') {
        journal_put_text(line, "ends", incident->ended);
    }
}

void journal_incident(struct journal *journal, const struct incident_notice *said)
{
    JOURNAL_LINE(line);
    text_format(&line, "%s %s", incident_kind_name(said->incident->kind),
                notice_name(said->notice));
    if (said->notice == NOTICE_RESOLVED) {
        put_closing(&line, said);
    } else {
        put_opening(&line, said);
    }
    syslog_socket_say(journal->socket, notice_priority(said->incident, said->notice), line.data,
                      said->owed);
}

void journal_drained(struct journal *journal, const struct drained *drained)
{
    JOURNAL_LINE(line);
    text_append(&line, "drain DONE");
    journal_put_text(&line, "server", drained->server);
    text_format(&line, " arrived=%u lost=%u", drained->arrived, drained->lost);
    journal_put_seconds(&line, "longest", drained->longest);
    text_format(&line, " in_flight=%u", drained->in_flight);
    if (drained->window[0] != '\0') {
        journal_put_text(&line, "window", drained->window);
    }
    if (drained->incident != 0) {
        text_format(&line, " incident=%" PRId64, drained->incident);
    }
    journal_say(journal, LOG_INFO, &line);
}

void journal_cohort(struct journal *journal, const struct cohort *cohort, const char *path)
{
    JOURNAL_LINE(line);
    text_append(&line, "cohort ARRIVED");
    journal_put_text(&line, "path", path);
    text_format(&line, " count=%u", cohort->count);
    journal_put_time(&line, "first_sent", cohort->first_sent);
    journal_put_time(&line, "last_sent", cohort->last_sent);
    journal_put_time(&line, "resumed", cohort->arrived);
    journal_say(journal, LOG_INFO, &line);
}
