#include "shell/journal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "base/error.h"
#include "shell/journal_line.h"

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

void journal_on_said(struct journal *journal, journal_said *said, void *context)
{
    syslog_socket_on_done(journal->socket, said, context);
}

void journal_say(struct journal *journal, int priority, const struct text *line)
{
    syslog_socket_say(journal->socket, priority, line->data, 0);
}

// ---- probes ----

void journal_probe(struct journal *journal, const struct probe_record *record, const char *path)
{
    char id[PROBE_ID_TEXT];
    JOURNAL_LINE(line);
    text_append(&line, "probe ");
    for (const char *at = probe_state_name(record->state); *at != '\0'; at++) {
        text_format(&line, "%c", *at - 'a' + 'A');
    }
    journal_put_text(&line, "path", path);
    text_format(&line, " probe=%s", probe_id_format(&record->id, id));
    if (record->slot > 0) { // a receipt does not tell it, and a probe by hand has none
        text_format(&line, " slot=%" PRId64, record->slot);
    }
    if (record->state == PROBE_ARRIVED) {
        journal_put_text(&line, "verdict", verdict_name(record->verdict));
        journal_put_seconds(&line, "latency", record->latency);
        journal_put_seconds(&line, "error", record->latency_error);
    }
    journal_say(journal, LOG_DEBUG, &line);
}

void journal_bounce(struct journal *journal, const char *path, const struct probe_id *probe,
                    enum bounce_fate fate, const struct bounce *bounce)
{
    char id[PROBE_ID_TEXT];
    JOURNAL_LINE(line);
    text_append(&line, "bounce REPORTED");
    journal_put_text(&line, "path", path);
    text_format(&line, " probe=%s", probe_id_format(probe, id));
    journal_put_text(&line, "action", bounce_action_name(bounce->action));
    journal_put_text(&line, "fate", bounce_fate_name(fate));
    journal_put_text(&line, "status", bounce->status);
    journal_put_text(&line, "remote", bounce->remote_mta);
    journal_put_text(&line, "cause", bounce->diagnostic);
    journal_say(journal, LOG_DEBUG, &line);
}

void journal_route_changed(struct journal *journal, const char *path, const char *route,
                           const char *usual, const char *window)
{
    JOURNAL_LINE(line);
    text_append(&line, "route CHANGED");
    journal_put_text(&line, "path", path);
    journal_put_text(&line, "route", route);
    journal_put_text(&line, "usual", usual);
    journal_put_text(&line, "maintenance", window);
    journal_say(journal, LOG_INFO, &line);
}

void journal_loop(struct journal *journal, const char *path, const char *mailbox,
                  const struct probe_id *probe)
{
    char id[PROBE_ID_TEXT];
    JOURNAL_LINE(line);
    text_append(&line, "loop FOUND");
    journal_put_text(&line, "path", path);
    journal_put_text(&line, "mailbox", mailbox);
    text_format(&line, " probe=%s", probe_id_format(probe, id));
    journal_put_text(&line, "reason", "our own probe came back: something forwards or echoes it");
    journal_say(journal, LOG_WARNING, &line);
}

// ---- the agent itself ----

void journal_started(struct journal *journal, const char *version, const struct settings *settings,
                     size_t restored_probes)
{
    JOURNAL_LINE(line);
    text_append(&line, "agent STARTED");
    journal_put_text(&line, "server", settings->server);
    journal_put_text(&line, "version", version);
    text_format(&line, " peers=%zu mailboxes=%zu restored_probes=%zu", settings->peer_count,
                settings->mailbox_count, restored_probes);
    journal_say(journal, LOG_NOTICE, &line);
}

void journal_stopped(struct journal *journal)
{
    JOURNAL_LINE(line);
    text_append(&line, "agent STOPPED");
    journal_say(journal, LOG_NOTICE, &line);
}

void journal_ledger_kept_aside(struct journal *journal, const char *kept)
{
    JOURNAL_LINE(line);
    text_append(&line, "ledger CORRUPT");
    journal_put_text(&line, "kept", kept);
    journal_put_text(
        &line, "consequence",
        "a fresh ledger was begun; probes in flight before now are not known any more");
    journal_say(journal, LOG_CRIT, &line);
}

void journal_ledger_failed(struct journal *journal, const char *reason)
{
    if (journal->ledger_failing) {
        return;
    }
    journal->ledger_failing = true;
    JOURNAL_LINE(line);
    text_append(&line, "ledger FAILING");
    journal_put_text(&line, "reason", reason);
    journal_put_text(&line, "consequence",
                     "no probe is sent and no mail is deleted until it works again");
    journal_say(journal, LOG_CRIT, &line);
}

void journal_ledger_works_again(struct journal *journal)
{
    if (!journal->ledger_failing) {
        return;
    }
    journal->ledger_failing = false;
    JOURNAL_LINE(line);
    text_append(&line, "ledger WORKING");
    journal_say(journal, LOG_NOTICE, &line);
}

void journal_prober_died(struct journal *journal, const char *program, const char *how)
{
    JOURNAL_LINE(line);
    text_append(&line, "prober DIED");
    journal_put_text(&line, "program", program);
    journal_put_text(&line, "how", how);
    journal_say(journal, LOG_ERR, &line);
}

void journal_mailbox_down(struct journal *journal, const char *mailbox, const char *cause)
{
    JOURNAL_LINE(line);
    text_append(&line, "mailbox DOWN");
    journal_put_text(&line, "mailbox", mailbox);
    journal_put_text(&line, "cause", cause);
    journal_say(journal, LOG_WARNING, &line);
}

void journal_mailbox_up(struct journal *journal, const char *mailbox)
{
    JOURNAL_LINE(line);
    text_append(&line, "mailbox UP");
    journal_put_text(&line, "mailbox", mailbox);
    journal_say(journal, LOG_INFO, &line);
}

void journal_rejected(struct journal *journal, const char *mailbox, const char *reason,
                      const char *cause)
{
    unsigned unsaid;
    if (!journal_passes(&journal->rejected_tags, &unsaid)) {
        return;
    }
    JOURNAL_LINE(line);
    text_append(&line, "tag REJECTED");
    journal_put_text(&line, "mailbox", mailbox);
    journal_put_text(&line, "reason", reason);
    journal_put_text(&line, "cause", cause);
    text_format(&line, " more=%u", unsaid);
    journal_say(journal, LOG_WARNING, &line);
}

void journal_exchange(struct journal *journal, const char *peer, const char *cause)
{
    JOURNAL_LINE(line);
    text_append(&line, cause[0] == '\0' ? "exchange WORKING" : "exchange FAILING");
    journal_put_text(&line, "peer", peer);
    if (cause[0] != '\0') {
        journal_put_text(&line, "cause", cause);
        journal_put_text(&line, "consequence", "what there is to tell it goes by mail alone");
    }
    journal_say(journal, LOG_INFO, &line);
}

void journal_exchange_rejected(struct journal *journal, const char *reason, const char *cause)
{
    unsigned unsaid;
    if (!journal_passes(&journal->rejected_exchanges, &unsaid)) {
        return;
    }
    JOURNAL_LINE(line);
    text_append(&line, "exchange REJECTED");
    journal_put_text(&line, "reason", reason);
    journal_put_text(&line, "cause", cause);
    text_format(&line, " more=%u", unsaid);
    journal_say(journal, LOG_WARNING, &line);
}

void journal_reloaded(struct journal *journal, const struct settings *settings)
{
    JOURNAL_LINE(line);
    text_format(&line, "config RELOADED peers=%zu mailboxes=%zu", settings->peer_count,
                settings->mailbox_count);
    journal_say(journal, LOG_NOTICE, &line);
}

void journal_reload_problem(struct journal *journal, const struct config_problem *problem)
{
    char words[700];
    struct text text = TEXT_OVER(words);
    config_problem_format(problem, &text);
    JOURNAL_LINE(line);
    text_append(&line, problem->warning ? "config WARNING" : "config PROBLEM");
    journal_put_text(&line, "problem", words);
    journal_say(journal, problem->warning ? LOG_WARNING : LOG_ERR, &line);
}

void journal_reload_refused(struct journal *journal, size_t errors)
{
    JOURNAL_LINE(line);
    text_format(&line, "config REFUSED errors=%zu", errors);
    journal_put_text(&line, "consequence", "the configuration in force stays as it was");
    journal_say(journal, LOG_ERR, &line);
}
