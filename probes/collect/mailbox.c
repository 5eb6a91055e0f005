#include "probes/collect/mailbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "probes/collect/reader.h"
#include "probes/collect/reports.h"
#include "probes/collect/suspects.h"

#define ROUND_INTERVAL    SPAN_SECONDS(30) // between checks of all folders
#define COMPLETE_INTERVAL SPAN_SECONDS(1)  // between reports that nothing was found
#define LOOK_INTERVAL     SPAN_SECONDS(1)  // where IDLE is not offered
#define IDLE_WORTH        SPAN_MS(300)     // shorter rests are slept through
#define DOWN_AGAIN        SPAN_SECONDS(30) // between two reports that it is still down
#define STEADY_AFTER      SPAN_SECONDS(10) // a connection that lasted makes the next retry soon

// Removals wait for each other so long: together they cost the server hardly more than one. Not
// less than IDLE_WORTH: when their command comes, IDLE has begun again, and ends with them.
#define REMOVE_WITHIN SPAN_MS(300)

enum { RETRY_SECONDS_MAXIMUM = 15 };

struct mailbox {
    struct collect_command watch;
    struct mailbox_spans spans;
    struct imap_session *session; // NULL while down
    struct reader reader;
    struct collect_report up; // as last reported
    struct folder folders[PROBE_FOLDERS_MAXIMUM];
    size_t folder_count;
    bool idling;
    bool wants_idle;
    struct instant due;
    struct instant next_round;
    struct instant remove_at; // what is to be deleted; never when there is nothing
    struct instant looked;    // at the first folder
    struct moment completed;  // as reported
    struct instant completed_at;
    struct instant connected_at;
    struct imap_attempt attempt; // the last to get in
    int failures;                // to connect, or soon after
    struct random_stream jitter;
    bool is_up;
    struct instant told; // when we last said whether it is up
    struct certificate told_certificate;
    char cause[PROBE_REPLY_SIZE];      // as reported
    char limitation[PROBE_REPLY_SIZE]; // what cannot be read, though the first folder can
};

struct mailbox *mailbox_create(const struct collect_command *watch,
                               const struct mailbox_spans *spans)
{
    uint64_t seed;
    struct mailbox *mailbox = memory_checked(calloc(1, sizeof *mailbox));
    mailbox->watch = *watch;
    mailbox->spans = *spans;
    mailbox->reader.mailbox = mailbox->watch.mailbox;
    mailbox->reader.keys = &mailbox->watch.keys;
    mailbox->reader.authserv_id = mailbox->watch.authserv_id;
    mailbox->reader.life = &mailbox->up;
    for (size_t i = 0; i < watch->folder_count; i++) {
        mailbox->folders[i] = folder_of(watch->folders[i]);
    }
    mailbox->folder_count = watch->folder_count;
    random_bytes(&seed, sizeof seed);
    mailbox->jitter = random_stream_from(seed);
    mailbox->due = clock_now().instant;
    mailbox->remove_at = INSTANT_NEVER;
    return mailbox;
}

void mailbox_destroy(struct mailbox *mailbox)
{
    imap_session_close(mailbox->session);
    explicit_bzero(mailbox, sizeof *mailbox);
    free(mailbox);
}

const char *mailbox_name(const struct mailbox *mailbox)
{
    return mailbox->watch.mailbox;
}

static void report_state(struct mailbox *mailbox, enum collect_report_kind kind, const char *cause)
{
    bool is_up = kind == COLLECT_UP;
    char cut[PROBE_REPLY_SIZE];
    text_copy(cut, sizeof cut, cause);
    struct instant now = clock_now().instant;
    bool due = !is_up && instant_reached(now, instant_add(mailbox->told, DOWN_AGAIN));
    if (mailbox->is_up == is_up && strcmp(mailbox->cause, cut) == 0 && !due &&
        certificate_equal(&mailbox->attempt.certificate, &mailbox->told_certificate)) {
        return;
    }
    mailbox->told = now;
    mailbox->told_certificate = mailbox->attempt.certificate;
    mailbox->is_up = is_up;
    memcpy(mailbox->cause, cut, sizeof cut);
    struct collect_report report;
    report_begin(&report, kind, mailbox->watch.mailbox);
    memcpy(report.cause, cut, sizeof cut);
    memcpy(report.legs, mailbox->attempt.legs, sizeof report.legs);
    report.certificate = mailbox->attempt.certificate;
    report.token_refused = !is_up && mailbox->attempt.token_refused;
    mailbox->up = is_up ? report : mailbox->up;
    report_write(&report);
}

static void report_up(struct mailbox *mailbox)
{
    const char *unread = mailbox->limitation, *undeleted = mailbox->reader.hindrance;
    report_state(mailbox, COLLECT_UP, unread[0] != '\0' ? unread : undeleted);
}

static void go_down(struct mailbox *mailbox, const char *cause)
{
    struct instant now = clock_now().instant;
    if (mailbox->is_up && instant_since(now, mailbox->connected_at).ns >= STEADY_AFTER.ns) {
        mailbox->failures = 0;
    }
    imap_session_close(mailbox->session);
    mailbox->session = NULL;
    mailbox->idling = false;
    mailbox->remove_at = INSTANT_NEVER;
    report_state(mailbox, COLLECT_DOWN, cause);
    int seconds = mailbox->failures < 4 ? 1 << mailbox->failures++ : RETRY_SECONDS_MAXIMUM;
    double spread = 0.75 + 0.5 * random_stream_fraction(&mailbox->jitter);
    mailbox->due = instant_add(now, span_from_seconds(seconds * spread));
}

// ---- all folders ----

static void keep_limitation(struct mailbox *mailbox, const struct folder *folder,
                            const struct error *error)
{
    struct text text = TEXT_OVER(mailbox->limitation);
    text_append(&text, "folder ");
    text_append_escaped(&text, folder->name);
    text_format(&text, ": %s", error->message);
}

static bool open_first(struct mailbox *mailbox, struct error *error)
{
    struct folder *first = &mailbox->folders[0];
    mailbox->looked = clock_now().instant;
    enum imap_result result = reader_open(&mailbox->reader, first, error);
    if (result != IMAP_DONE) {
        return result == IMAP_REFUSED && error_prefix(error, "folder %s", first->name);
    }
    report_up(mailbox);
    return reader_read_opened(&mailbox->reader, error);
}

static bool visit(struct mailbox *mailbox, struct folder *folder, struct error *error)
{
    enum imap_result result = reader_open(&mailbox->reader, folder, error);
    if (result == IMAP_REFUSED) {
        keep_limitation(mailbox, folder, error);
        return true;
    }
    return result == IMAP_DONE && reader_read_opened(&mailbox->reader, error) &&
           reader_remove_doomed(&mailbox->reader, error) &&
           suspects_examine(&mailbox->reader, error);
}

static bool has_changed(const struct folder *folder, const struct imap_folder *now)
{
    return !folder->readable || folder->suspect_count > 0 ||
           now->uid_validity != folder->uid_validity || now->exists != folder->exists ||
           now->uid_next == 0 || now->uid_next > folder->next_uid;
}

static bool check_other(struct mailbox *mailbox, struct folder *folder, struct error *error)
{
    struct imap_folder now;
    struct moment sent = clock_now();
    enum imap_result result = imap_session_status(mailbox->session, folder->name, &now, error);
    if (result == IMAP_REFUSED) {
        folder->readable = false;
        keep_limitation(mailbox, folder, error);
        return true;
    }
    if (result != IMAP_DONE) {
        return false;
    }
    if (has_changed(folder, &now) || folder->doomed_count > 0) {
        return visit(mailbox, folder, error);
    }
    folder->checked = sent;
    return true;
}

static bool check_others(struct mailbox *mailbox, struct error *error)
{
    bool suspects = false;
    mailbox->limitation[0] = '\0';
    for (size_t i = 1; i < mailbox->folder_count; i++) {
        struct folder *folder = &mailbox->folders[i];
        if (!check_other(mailbox, folder, error)) {
            return false;
        }
        suspects = suspects || (folder->readable && folder->suspect_count > 0);
    }
    struct span rest = suspects ? COMPLETE_INTERVAL : ROUND_INTERVAL;
    mailbox->next_round = instant_add(clock_now().instant, rest);
    return mailbox->reader.folder == &mailbox->folders[0] || open_first(mailbox, error);
}

// Folders that cannot be read keep what is to be deleted in them until they can.
static bool has_doomed(const struct mailbox *mailbox)
{
    for (size_t i = 0; i < mailbox->folder_count; i++) {
        if (mailbox->folders[i].doomed_count > 0 && mailbox->folders[i].readable) {
            return true;
        }
    }
    return false;
}

// ---- what is complete ----

// As of the folder that was checked longest ago: what was there before has been reported.
static void describe_complete(const struct mailbox *mailbox, struct collect_report *report)
{
    report_begin(report, COLLECT_COMPLETE, mailbox->watch.mailbox);
    report->at = mailbox->folders[0].checked;
    for (size_t i = 0; i < mailbox->folder_count; i++) {
        const struct folder *folder = &mailbox->folders[i];
        if (folder->readable) {
            bool earlier = folder->checked.instant.ns < report->at.instant.ns;
            report->at = earlier ? folder->checked : report->at;
            report->foreign += folder->exists > folder->ours ? folder->exists - folder->ours : 0;
        }
    }
}

static void report_complete(struct mailbox *mailbox)
{
    struct collect_report report;
    struct instant now = clock_now().instant;
    bool is_time = instant_since(now, mailbox->completed_at).ns >= COMPLETE_INTERVAL.ns;
    if (!mailbox->reader.found && !is_time) {
        return;
    }
    describe_complete(mailbox, &report);
    if (mailbox->reader.found || report.at.instant.ns != mailbox->completed.instant.ns) {
        mailbox->completed = report.at;
        mailbox->completed_at = now;
        report_write(&report);
    }
    if (mailbox->reader.found) {
        struct instant soon = instant_add(now, COMPLETE_INTERVAL);
        mailbox->next_round = instant_earlier(mailbox->next_round, soon);
        mailbox->reader.found = false;
    }
}

// ---- work and rest ----

static bool start(struct mailbox *mailbox, struct error *error)
{
    struct instant now = clock_now().instant;
    mailbox->session = imap_session_open(&mailbox->watch.endpoint, mailbox->spans.timeout,
                                         &mailbox->attempt, error);
    if (mailbox->session == NULL) {
        return false;
    }
    mailbox->connected_at = now;
    mailbox->completed_at = (struct instant){0};
    mailbox->wants_idle = imap_session_can_idle(mailbox->session);
    mailbox->reader.session = mailbox->session;
    mailbox->reader.hindrance[0] = '\0';
    mailbox->limitation[0] = '\0';
    return open_first(mailbox, error) && reader_remove_doomed(&mailbox->reader, error) &&
           check_others(mailbox, error);
}

static bool leave_idle(struct mailbox *mailbox, struct error *error)
{
    if (!mailbox->idling) {
        return true;
    }
    mailbox->idling = false;
    return imap_session_idle_end(mailbox->session, error) == IMAP_DONE &&
           reader_read_news(&mailbox->reader, error);
}

static bool look(struct mailbox *mailbox, struct error *error)
{
    if (!leave_idle(mailbox, error)) {
        return false;
    }
    mailbox->looked = clock_now().instant;
    if (!reader_check(&mailbox->reader, error)) {
        return false;
    }
    struct instant now = clock_now().instant;
    bool is_round = instant_reached(now, mailbox->next_round);
    if (instant_reached(now, mailbox->remove_at)) {
        mailbox->remove_at = INSTANT_NEVER;
        if (!reader_remove_doomed(&mailbox->reader, error)) {
            return false;
        }
        is_round = is_round || has_doomed(mailbox);
    }
    return (!is_round || check_others(mailbox, error)) && suspects_examine(&mailbox->reader, error);
}

static bool is_due(const struct mailbox *mailbox)
{
    return imap_session_has_news(mailbox->session) ||
           instant_reached(clock_now().instant, mailbox->due);
}

// At the pace of what is expected; but a busy server has as long a rest as it took to answer.
static struct instant next_look(struct mailbox *mailbox, struct instant now)
{
    struct instant next =
        expectations_next_look(&mailbox->reader.expectations, mailbox->looked, now);
    struct span took = span_shorter(instant_since(now, mailbox->looked), LOOK_INTERVAL);
    return instant_later(next, instant_add(now, took));
}

static bool rest(struct mailbox *mailbox, struct error *error)
{
    struct instant now = clock_now().instant;
    struct instant next = instant_earlier(next_look(mailbox, now), mailbox->next_round);
    mailbox->due = instant_earlier(next, mailbox->remove_at);
    if (mailbox->folders[0].suspect_count > 0) {
        mailbox->due = now;
        return true;
    }
    if (!mailbox->wants_idle) {
        struct instant latest = instant_add(mailbox->looked, LOOK_INTERVAL);
        mailbox->due = instant_earlier(mailbox->due, latest);
        return true;
    }
    if (instant_since(next, now).ns < IDLE_WORTH.ns) {
        return true;
    }
    enum imap_result result = imap_session_idle_begin(mailbox->session, error);
    mailbox->idling = result == IMAP_DONE;
    mailbox->wants_idle = mailbox->idling;
    // What came along with the answer would be waited for in vain.
    if (!mailbox->idling || imap_session_has_news(mailbox->session) ||
        imap_session_is_readable(mailbox->session)) {
        mailbox->due = now;
    }
    return result == IMAP_DONE || result == IMAP_REFUSED;
}

static bool renew(struct mailbox *mailbox, struct error *error)
{
    struct instant old = instant_add(mailbox->connected_at, mailbox->spans.renew);
    if (mailbox->watch.endpoint.tls == PROBE_TLS_NONE ||
        !instant_reached(clock_now().instant, old)) {
        return true;
    }
    imap_session_close(mailbox->session);
    mailbox->session = NULL;
    return start(mailbox, error);
}

static bool work(struct mailbox *mailbox, struct error *error)
{
    if (mailbox->session == NULL) {
        if (!start(mailbox, error)) {
            return false;
        }
    } else {
        if (mailbox->idling && imap_session_idle_read(mailbox->session, error) != IMAP_DONE) {
            return false;
        }
        if (mailbox->idling && !is_due(mailbox)) {
            return true;
        }
        if (!look(mailbox, error) || !renew(mailbox, error)) {
            return false;
        }
    }
    report_up(mailbox);
    report_complete(mailbox);
    return rest(mailbox, error);
}

void mailbox_work(struct mailbox *mailbox)
{
    struct error error = {""};
    mailbox->reader.told = clock_now().instant;
    if (!work(mailbox, &error)) {
        go_down(mailbox, error.message);
    }
}

// Soon, together; at once when they fill a command: what a folder does not remember is read again.
static struct instant removal_due(const struct mailbox *mailbox, const struct folder *folder)
{
    if (mailbox->session == NULL) {
        return INSTANT_NEVER; // done after the next connection
    }
    bool fill = folder->doomed_count >= COLLECT_UIDS_MAXIMUM;
    return instant_add(clock_now().instant, fill ? SPAN_ZERO : REMOVE_WITHIN);
}

bool mailbox_delete(struct mailbox *mailbox, const struct collect_command *command,
                    struct error *error)
{
    for (size_t i = 0; i < mailbox->folder_count; i++) {
        struct folder *folder = &mailbox->folders[i];
        if (strcmp(folder->name, command->folder) != 0) {
            continue;
        }
        if (folder->uid_validity == command->uid_validity) {
            folder_doom(folder, command->uids, command->uid_count);
            mailbox->remove_at = instant_earlier(mailbox->remove_at, removal_due(mailbox, folder));
            mailbox->due = instant_earlier(mailbox->due, mailbox->remove_at);
        }
        return true;
    }
    return error_set(error, "mailbox %s has no folder %s", mailbox->watch.mailbox, command->folder);
}

struct instant mailbox_due(const struct mailbox *mailbox)
{
    return mailbox->due;
}

int mailbox_descriptor(const struct mailbox *mailbox)
{
    return mailbox->idling ? imap_session_descriptor(mailbox->session) : -1;
}
