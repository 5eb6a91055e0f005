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

static void put_slow(struct text *line, const struct evidence *evidence)
{
    journal_put_seconds(line, "latency", evidence->latency);
    journal_put_seconds(line, "threshold", evidence->threshold);
    text_format(line, " late=%u/%u", evidence->late, evidence->of);
    journal_put_seconds(line, "oldest_age", evidence->oldest_age);
}

static struct walltime told_at(const struct incident *incident)
{
    return incident->notified ? incident->notified_at : incident->opened;
}

static void put_overrun(struct text *line, const struct incident *incident)
{
    const struct aftermath *aftermath = &incident->aftermath;
    journal_put_text(line, "kind", window_kind_name(aftermath->window_kind));
    journal_put_text(line, "window", aftermath->window);
    journal_put_time(line, "planned_end", aftermath->planned_end);
    journal_put_seconds(line, "late_by", walltime_since(told_at(incident), aftermath->planned_end));
    text_format(line, " in_flight=%u", incident->evidence.in_flight);
}

// Nothing comes or goes, or our relay takes nothing.
static void put_isolated(struct text *line, const struct incident *incident)
{
    const struct evidence *evidence = &incident->evidence;
    if (evidence->of > 0) {
        text_format(line, " bad=%u/%u", evidence->late, evidence->of);
    } else {
        text_format(line, " failures=%u", evidence->failures);
    }
    journal_put_seconds(line, "for", walltime_since(told_at(incident), incident->began));
}

// Cut to tenths, so that it never promises more than there is.
static double days_of(struct span left)
{
    int64_t tenths = left.ns / (SPAN_HOURS(24).ns / 10);
    return (double)tenths / 10;
}

static void put_bounced(struct text *line, const struct evidence *evidence,
                        const struct bounce *bounce)
{
    text_format(line, " bounced=%u", evidence->failures);
    if (bounce != NULL) {
        journal_put_text(line, "status", bounce->status);
        journal_put_text(line, "remote", bounce->remote_mta);
    }
}

static void put_evidence(struct text *line, const struct incident *incident,
                         const struct bounce *bounce)
{
    const struct evidence *evidence = &incident->evidence;
    switch (incident->kind) {
    case INCIDENT_SLOW:
        put_slow(line, evidence);
        break;
    case INCIDENT_SILENT:
        journal_put_seconds(line, "overdue", evidence->oldest_age);
        journal_put_seconds(line, "threshold", evidence->threshold);
        break;
    case INCIDENT_DOWN:
    case INCIDENT_UNHEARD:
        journal_put_seconds(line, "overdue", evidence->oldest_age);
        text_format(line, " in_flight=%u", evidence->in_flight);
        break;
    case INCIDENT_OVERRUN:
        put_overrun(line, incident);
        break;
    case INCIDENT_ISOLATED:
        put_isolated(line, incident);
        break;
    case INCIDENT_REFUSED:
        text_format(line, " failures=%u", evidence->failures);
        break;
    case INCIDENT_BOUNCED:
        put_bounced(line, evidence, bounce);
        break;
    case INCIDENT_BLIND:
        journal_put_seconds(line, "unreadable", evidence->oldest_age);
        break;
    case INCIDENT_STUCK:
        text_format(line, " in_flight=%u", evidence->in_flight);
        journal_put_seconds(line, "oldest_age", evidence->oldest_age);
        break;
    case INCIDENT_LOST:
        text_format(line, " lost=%u", evidence->failures);
        break;
    case INCIDENT_CERTIFICATE:
        text_format(line, " days_left=%.1f", days_of(evidence->latency));
        break;
    case INCIDENT_REROUTED:
        journal_put_text(line, "route", evidence->route);
        journal_put_text(line, "usual", evidence->usual_route);
        break;
    case INCIDENT_UNAUTHENTICATED:
        journal_put_text(line, "method", auth_method_name(evidence->method));
        journal_put_text(line, "result", auth_result_name(evidence->result));
        break;
    case INCIDENT_MISPLACED:
        text_format(line, " misplaced=%u/%u", evidence->late, evidence->of);
        journal_put_text(line, "folder", evidence->cause);
        break;
    case INCIDENT_CLOCK:
        journal_put_seconds(line, "offset", evidence->latency);
        journal_put_seconds(line, "error", evidence->threshold);
        break;
    case INCIDENT_FORGED:
        text_format(line, " tags=%u", evidence->failures);
        break;
    case INCIDENTS:
        break;
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
    journal_say(journal, notice_priority(said->incident, said->notice), &line);
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
