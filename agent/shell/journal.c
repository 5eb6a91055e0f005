#include "shell/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "shell/syslog_socket.h"

// A line that could repeat without end is said at most so often.
#define REJECTED_PAUSE SPAN_MINUTES(1)

struct journal {
    struct syslog_socket *socket;
    struct instant rejected_after; // the next line about rejected mail may be said
    unsigned rejected_meanwhile;
    bool ledger_failing;
};

struct journal *journal_create(const struct settings *settings)
{
    struct journal *journal = memory_checked(calloc(1, sizeof *journal));
    journal->socket = syslog_socket_create(settings->syslog.socket, settings->syslog.facility);
    return journal;
}

void journal_configure(struct journal *journal, const struct settings *settings)
{
    syslog_socket_configure(journal->socket, settings->syslog.socket, settings->syslog.facility);
}

void journal_destroy(struct journal *journal)
{
    syslog_socket_destroy(journal->socket);
    free(journal);
}

void journal_flush(struct journal *journal)
{
    syslog_socket_flush(journal->socket);
}

// ---- keys ----

static void put_text(struct text *line, const char *key, const char *value)
{
    text_format(line, " %s=", key);
    text_append_value(line, value);
}

// Seconds to the millisecond, without trailing zeros.
static void put_seconds(struct text *line, const char *key, struct span value)
{
    char digits[40];
    struct text number = TEXT_OVER(digits);
    text_format(&number, "%.3f", span_seconds(value));
    while (number.length > 0 && digits[number.length - 1] == '0') {
        digits[--number.length] = '\0';
    }
    if (number.length > 0 && digits[number.length - 1] == '.') {
        digits[--number.length] = '\0';
    }
    text_format(line, " %s=%ss", key, digits);
}

static void put_time(struct text *line, const char *key, struct walltime value)
{
    text_format(line, " %s=", key);
    walltime_append_seconds(value, line);
}

static void put_probe(struct text *line, const struct evidence *evidence)
{
    char id[PROBE_ID_TEXT];
    if (evidence->has_probe) {
        text_format(line, " probe=%s", probe_id_format(&evidence->probe, id));
    }
}

static void say(struct journal *journal, int priority, const struct text *line)
{
    syslog_socket_say(journal->socket, priority, line->data);
}

#define LINE(name)                                                                                 \
    char name##_bytes[SYSLOG_LINE_SIZE];                                                           \
    struct text name = TEXT_OVER(name##_bytes)

// ---- incidents ----

static const char *const NOTICE_NAMES[] = {
    [NOTICE_FIRING] = "FIRING",     [NOTICE_FLAPPING] = "FLAPPING",
    [NOTICE_REMINDER] = "REMINDER", [NOTICE_SUPPRESSED] = "SUPPRESSED",
    [NOTICE_RESOLVED] = "RESOLVED",
};

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
        break;
    }
    return LOG_NOTICE;
}

static void put_evidence(struct text *line, const struct incident *incident, const char *smtp)
{
    const struct evidence *evidence = &incident->evidence;
    switch (incident->kind) {
    case INCIDENT_SLOW:
        put_seconds(line, "latency", evidence->latency);
        put_seconds(line, "threshold", evidence->threshold);
        text_format(line, " late=%u/%u", evidence->late, evidence->of);
        put_seconds(line, "oldest_age", evidence->oldest_age);
        break;
    case INCIDENT_SILENT:
        put_seconds(line, "overdue", evidence->oldest_age);
        put_seconds(line, "threshold", evidence->threshold);
        break;
    case INCIDENT_REFUSED:
        text_format(line, " failures=%u", evidence->failures);
        break;
    case INCIDENT_BLIND:
        put_seconds(line, "unreadable", evidence->oldest_age);
        break;
    case INCIDENT_ISOLATED:
    case INCIDENT_OVERRUN:
    case INCIDENT_DOWN:
    case INCIDENT_UNHEARD:
    case INCIDENT_STUCK:
    case INCIDENT_LOST:
    case INCIDENT_CLOCK:
    case INCIDENT_FORGED:
    case INCIDENTS:
        break;
    }
    text_format(line, " incident=%" PRId64, incident->id);
    put_probe(line, evidence);
    put_text(line, "maintenance",
             incident->suppressed_by[0] == '\0' ? "none" : incident->suppressed_by);
    if (evidence->cause[0] != '\0') {
        put_text(line, "cause", evidence->cause);
    }
    if (smtp[0] != '\0') {
        put_text(line, "smtp", smtp);
    }
}

static void put_life(struct text *line, const struct incident *incident)
{
    put_time(line, "began", incident->began);
    put_time(line, "closed", incident->closed);
    put_seconds(line, "duration", walltime_since(incident->closed, incident->began));
    text_format(line, " drained=%u in_flight=%u incident=%" PRId64, incident->aftermath.drained,
                incident->evidence.in_flight, incident->id);
}

void journal_incident(struct journal *journal, const struct incident *incident, enum notice notice,
                      const char *smtp)
{
    LINE(line);
    text_format(&line, "%s %s", incident_kind_name(incident->kind), NOTICE_NAMES[notice]);
    put_text(&line, "severity", severity_name(incident->severity));
    put_text(&line, incident->kind == INCIDENT_BLIND ? "mailbox" : "path", incident->subject_text);
    if (notice == NOTICE_RESOLVED) {
        put_life(&line, incident);
    } else {
        put_evidence(&line, incident, smtp);
    }
    say(journal, notice_priority(incident, notice), &line);
}

// ---- maintenance ----

void journal_window(struct journal *journal, const struct window *window,
                    enum window_transition transition)
{
    const char *state = transition == WINDOW_BEGINS ? "BEGIN"
                        : transition == WINDOW_ENDS ? "END"
                        : window->cancelled         ? "CANCELLED"
                        : window->revision > 1      ? "CHANGED"
                                                    : "ANNOUNCED";
    LINE(line);
    text_format(&line, "maintenance %s", state);
    put_text(&line, "server", window->server);
    put_text(&line, "kind", window_kind_name(window->kind));
    put_text(&line, "window", window->id);
    put_time(&line, "begin", window->begin);
    put_time(&line, "end", window->end);
    put_text(&line, "by", window->by);
    put_text(&line, "reason", window->reason);
    say(journal, LOG_NOTICE, &line);
}

// ---- probes ----

void journal_probe(struct journal *journal, const struct probe_record *record, const char *path)
{
    char id[PROBE_ID_TEXT];
    LINE(line);
    text_append(&line, "probe ");
    for (const char *at = probe_state_name(record->state); *at != '\0'; at++) {
        text_format(&line, "%c", *at - 'a' + 'A');
    }
    put_text(&line, "path", path);
    text_format(&line, " probe=%s", probe_id_format(&record->id, id));
    if (record->slot > 0) { // a receipt does not tell it, and a probe by hand has none
        text_format(&line, " slot=%" PRId64, record->slot);
    }
    if (record->state == PROBE_ARRIVED) {
        put_text(&line, "verdict", verdict_name(record->verdict));
        put_seconds(&line, "latency", record->latency);
        put_seconds(&line, "error", record->latency_error);
    }
    say(journal, LOG_DEBUG, &line);
}

// ---- the agent itself ----

void journal_started(struct journal *journal, const char *version, const struct settings *settings,
                     size_t restored_probes)
{
    LINE(line);
    text_append(&line, "agent STARTED");
    put_text(&line, "server", settings->server);
    put_text(&line, "version", version);
    text_format(&line, " peers=%zu mailboxes=%zu restored_probes=%zu", settings->peer_count,
                settings->mailbox_count, restored_probes);
    say(journal, LOG_NOTICE, &line);
}

void journal_stopped(struct journal *journal)
{
    LINE(line);
    text_append(&line, "agent STOPPED");
    say(journal, LOG_NOTICE, &line);
}

void journal_ledger_kept_aside(struct journal *journal, const char *kept)
{
    LINE(line);
    text_append(&line, "ledger CORRUPT");
    put_text(&line, "kept", kept);
    put_text(&line, "consequence",
             "a fresh ledger was begun; probes in flight before now are not known any more");
    say(journal, LOG_CRIT, &line);
}

void journal_ledger_failed(struct journal *journal, const char *reason)
{
    if (journal->ledger_failing) {
        return;
    }
    journal->ledger_failing = true;
    LINE(line);
    text_append(&line, "ledger FAILING");
    put_text(&line, "reason", reason);
    put_text(&line, "consequence", "no probe is sent and no mail is deleted until it works again");
    say(journal, LOG_CRIT, &line);
}

void journal_ledger_works_again(struct journal *journal)
{
    if (!journal->ledger_failing) {
        return;
    }
    journal->ledger_failing = false;
    LINE(line);
    text_append(&line, "ledger WORKING");
    say(journal, LOG_NOTICE, &line);
}

void journal_prober_died(struct journal *journal, const char *program, const char *how)
{
    LINE(line);
    text_append(&line, "prober DIED");
    put_text(&line, "program", program);
    put_text(&line, "how", how);
    say(journal, LOG_ERR, &line);
}

void journal_mailbox_down(struct journal *journal, const char *mailbox, const char *cause)
{
    LINE(line);
    text_append(&line, "mailbox DOWN");
    put_text(&line, "mailbox", mailbox);
    put_text(&line, "cause", cause);
    say(journal, LOG_WARNING, &line);
}

void journal_mailbox_up(struct journal *journal, const char *mailbox)
{
    LINE(line);
    text_append(&line, "mailbox UP");
    put_text(&line, "mailbox", mailbox);
    say(journal, LOG_INFO, &line);
}

void journal_rejected(struct journal *journal, const char *mailbox, const char *reason,
                      const char *cause)
{
    struct instant now = clock_now().instant;
    if (!instant_reached(now, journal->rejected_after)) {
        journal->rejected_meanwhile++;
        return;
    }
    LINE(line);
    text_append(&line, "tag REJECTED");
    put_text(&line, "mailbox", mailbox);
    put_text(&line, "reason", reason);
    put_text(&line, "cause", cause);
    text_format(&line, " more=%u", journal->rejected_meanwhile);
    say(journal, LOG_WARNING, &line);
    journal->rejected_meanwhile = 0;
    journal->rejected_after = instant_add(now, REJECTED_PAUSE);
}

void journal_reloaded(struct journal *journal, const struct settings *settings)
{
    LINE(line);
    text_format(&line, "config RELOADED peers=%zu mailboxes=%zu", settings->peer_count,
                settings->mailbox_count);
    say(journal, LOG_NOTICE, &line);
}

void journal_reload_problem(struct journal *journal, const struct config_problem *problem)
{
    char words[700];
    struct text text = TEXT_OVER(words);
    config_problem_format(problem, &text);
    LINE(line);
    text_append(&line, problem->warning ? "config WARNING" : "config PROBLEM");
    put_text(&line, "problem", words);
    say(journal, problem->warning ? LOG_WARNING : LOG_ERR, &line);
}

void journal_reload_refused(struct journal *journal, size_t errors)
{
    LINE(line);
    text_format(&line, "config REFUSED errors=%zu", errors);
    put_text(&line, "consequence", "the configuration in force stays as it was");
    say(journal, LOG_ERR, &line);
}
