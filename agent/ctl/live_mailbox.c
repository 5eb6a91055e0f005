#include "ctl/live_mailbox.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/live_token.h"
#include "probes/endpoint.h"
#include "probes/probe.h"

#define TO_LOG_IN   SPAN_SECONDS(45)  // the collector gives every command 20 s
#define TO_READ     SPAN_SECONDS(120) // what lies in the mailbox already
#define TO_DELETE   SPAN_SECONDS(5)
#define COMMAND_LAG SPAN_MS(200) // from our pipe into the collector's hands, at most

static bool watch(struct live_mailbox *mailbox, const char *probers, const struct settings *all,
                  struct error *error)
{
    const struct mailbox_settings *settings = mailbox->settings;
    struct collect_command command = {.kind = COLLECT_WATCH, .keys = all->mesh_keys};
    text_copy(command.mailbox, sizeof command.mailbox, settings->name);
    endpoint_of_mailbox(settings, &command.endpoint);
    if (!live_token_get(probers, all, &settings->oauth, command.endpoint.token, error)) {
        return false;
    }
    for (size_t i = 0; i < settings->folder_count && i < PROBE_FOLDERS_MAXIMUM; i++) {
        text_copy(command.folders[i], sizeof command.folders[i], settings->folders[i]);
        command.folder_count++;
    }
    prober_child_write(&mailbox->child, collect_command_encode(&command));
    explicit_bzero(&command, sizeof command);
    return true;
}

static bool read_report(struct live_mailbox *mailbox, struct instant deadline,
                        struct collect_report *report, struct error *error)
{
    const char *line;
    size_t length;
    return prober_child_read(&mailbox->child, deadline, &line, &length, error) &&
           collect_report_decode(line, length, report, error);
}

static void delete_message(struct live_mailbox *mailbox, const struct collect_report *found)
{
    struct collect_command command = {
        .kind = COLLECT_DELETE,
        .uid_validity = found->uid_validity,
        .uids = {found->uid},
        .uid_count = 1,
    };
    text_copy(command.mailbox, sizeof command.mailbox, mailbox->settings->name);
    text_copy(command.folder, sizeof command.folder, found->folder);
    prober_child_write(&mailbox->child, collect_command_encode(&command));
}

// Until everything has been looked at since: then it is deleted what was to be.
static void await_deletion(struct live_mailbox *mailbox)
{
    struct collect_report report;
    struct error unused;
    struct instant asked = instant_add(clock_now().instant, COMMAND_LAG);
    struct instant deadline = instant_add(asked, TO_DELETE);
    while (read_report(mailbox, deadline, &report, &unused)) {
        if (report.kind == COLLECT_COMPLETE && instant_reached(report.at.instant, asked)) {
            break;
        }
    }
}

// From us to us, of a check that did not wait for it.
static bool is_left_over(const struct live_mailbox *mailbox, const struct collect_report *report)
{
    return report->kind == COLLECT_ARRIVAL && strcmp(report->tag.from, mailbox->server) == 0 &&
           strcmp(report->tag.to, mailbox->server) == 0;
}

static void add_legs(const struct collect_report *report, struct live_result *result)
{
    for (int i = 0; i < COLLECT_LEGS; i++) {
        live_result_add_leg(result, collect_leg_name((enum collect_leg)i), report->legs[i]);
    }
    live_result_add_certificate(result, &report->certificate);
}

// Until everything that lies there has been read.
static void await_readable(struct live_mailbox *mailbox, struct live_result *result)
{
    struct collect_report report;
    struct error error;
    struct instant deadline = instant_add(clock_now().instant, TO_LOG_IN);
    char limitation[PROBE_REPLY_SIZE] = "";
    bool up = false;
    while (read_report(mailbox, deadline, &report, &error)) {
        if (report.kind == COLLECT_DOWN) {
            add_legs(&report, result);
            live_result_fail(result, ADVICE_IMAP, report.cause);
            return;
        }
        if (is_left_over(mailbox, &report)) {
            delete_message(mailbox, &report);
        }
        if (report.kind == COLLECT_UP) {
            struct instant now = clock_now().instant;
            if (!up) {
                add_legs(&report, result);
            }
            up = true;
            deadline = instant_add(now, TO_READ);
            text_copy(limitation, sizeof limitation, report.cause);
        }
        if (report.kind == COLLECT_COMPLETE && limitation[0] == '\0') {
            mailbox->readable = true;
            live_result_succeed(result, "readable");
            return;
        }
        if (report.kind == COLLECT_COMPLETE) {
            live_result_fail(result, ADVICE_IMAP, limitation);
            return;
        }
    }
    live_result_fail(result, ADVICE_IMAP, error.message);
}

void live_mailbox_open(struct live_mailbox *mailbox, const char *probers,
                       const struct settings *settings, const struct mailbox_settings *which,
                       struct live_result *result)
{
    struct error error;
    struct text subject = TEXT_OVER(result->subject);
    struct text target = TEXT_OVER(result->target);
    text_format(&subject, "mailbox %s", which->name);
    text_format(&target, "%s:%u", which->host, (unsigned)which->port);
    mailbox->server = settings->server;
    mailbox->settings = which;
    mailbox->readable = false;
    if (!prober_child_start(&mailbox->child, probers, "mailflow-collect", &error)) {
        live_result_fail(result, ADVICE_IMAP, error.message);
        return;
    }
    if (watch(mailbox, probers, settings, &error)) {
        await_readable(mailbox, result);
    } else {
        live_result_fail(result, ADVICE_IMAP, error.message);
    }
}

bool live_mailbox_await(struct live_mailbox *mailbox, const struct probe_id *id,
                        struct instant deadline, struct moment *arrived, struct error *error)
{
    struct collect_report report;
    char trouble[PROBE_REPLY_SIZE] = "";
    while (read_report(mailbox, deadline, &report, error)) {
        if (report.kind == COLLECT_ARRIVAL && probe_id_equal(&report.tag.id, id)) {
            *arrived = report.present;
            delete_message(mailbox, &report);
            await_deletion(mailbox);
            return true;
        }
        if (is_left_over(mailbox, &report)) {
            delete_message(mailbox, &report);
        }
        if (report.kind == COLLECT_DOWN || report.kind == COLLECT_REJECTED) {
            text_copy(trouble, sizeof trouble, report.cause);
        }
    }
    return trouble[0] == '\0' ? false : error_set(error, "%s", trouble);
}

void live_mailbox_close(struct live_mailbox *mailbox)
{
    prober_child_stop(&mailbox->child);
}
