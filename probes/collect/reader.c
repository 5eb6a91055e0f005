#include "probes/collect/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "probes/collect/reports.h"
#include "probes/collect/trace_block.h"

#define LIFE_INTERVAL SPAN_SECONDS(20) // who is silent for longer is taken for stuck in the end

enum { FIRST_RANGE = 256, RANGE_MAXIMUM = 65536 };

struct collect_report *reader_begin_report(struct reader *reader, enum collect_report_kind kind,
                                           uint32_t uid)
{
    struct collect_report *report = report_begin(&reader->report, kind, reader->mailbox);
    memcpy(report->folder, reader->folder->name, sizeof report->folder);
    report->uid_validity = reader->folder->uid_validity;
    report->uid = uid;
    reader->found = true;
    reader->told = clock_now().instant;
    return report;
}

// A large mailbox of others' mail takes long and gives nothing to report.
static void show_life(struct reader *reader)
{
    struct instant now = clock_now().instant;
    if (instant_since(now, reader->told).ns >= LIFE_INTERVAL.ns) {
        reader->told = now;
        report_write(reader->life);
    }
}

static void report_rejected(struct reader *reader, uint32_t uid, enum rejection rejection,
                            const char *cause)
{
    struct collect_report *report = reader_begin_report(reader, COLLECT_REJECTED, uid);
    report->rejection = rejection;
    text_copy(report->cause, sizeof report->cause, cause);
    report_write(report);
}

// In a line of its own ahead of the arrival, for lines are bounded.
static void report_trace(struct reader *reader, const struct imap_message *message)
{
    struct collect_report *report = reader_begin_report(reader, COLLECT_TRACE, message->uid);
    bool cut = message->trace_length == sizeof message->trace;
    trace_block_read(message->trace, message->trace_length, cut, reader->authserv_id,
                     &report->trace);
    if (trace_known(&report->trace)) {
        report_write(report);
    }
}

static void report_arrival(struct reader *reader, const struct imap_message *message,
                           const struct imap_news *seen)
{
    const struct recognised *recognised = &reader->recognised;
    report_trace(reader, message);
    struct collect_report *report = reader_begin_report(reader, COLLECT_ARRIVAL, message->uid);
    report->absent = reader->folder->checked;
    report->asked = seen->asked;
    report->present = seen->at;
    report->saved = message->saved;
    report->stripped = recognised->stripped;
    report->tag = recognised->tag;
    if (!recognised->stripped) {
        const struct header_block *headers = &recognised->headers;
        memcpy(report->maintenance, headers->values[TAG_MAINTENANCE], sizeof report->maintenance);
        memcpy(report->receipts, headers->values[TAG_RECEIPTS], sizeof report->receipts);
        memcpy(report->row, headers->values[TAG_ROW], sizeof report->row);
    }
    report_write(report);
    reader->folder->ours++;
    expectations_note_arrival(&reader->expectations, &recognised->tag, seen->at);
}

// What the server has not told of was found by the search.
static void take_message(struct reader *reader, const struct imap_message *message,
                         const struct imap_news *news)
{
    bool was_told = message->number <= news->exists;
    bool cut = message->header_length == sizeof message->headers;
    const struct recognised *recognised = &reader->recognised;
    switch (recognise(message->headers, message->header_length, cut, reader->keys,
                      &reader->recognised)) {
    case RECOGNISED_PROBE:
        report_arrival(reader, message, was_told ? news : &reader->searched);
        break;
    case RECOGNISED_REJECTED:
        report_rejected(reader, message->uid, recognised->rejection, recognised->cause);
        break;
    case RECOGNISED_FOREIGN:
        if (dsn_may_be(message->signs, message->signs_length)) {
            folder_suspect(reader->folder, message->uid);
        }
        break;
    }
}

// A batch that fails is read one by one, a single message that fails is skipped.
static bool isolate(struct reader *reader, const uint32_t *uids, size_t count,
                    enum imap_result result, const struct error *error)
{
    if (result == IMAP_BROKEN) {
        return false;
    }
    if (count > 1) {
        reader->folder->read_singly = uids[count - 1];
        return result == IMAP_REFUSED;
    }
    if (result == IMAP_UNREADABLE) {
        report_rejected(reader, uids[0], REJECTED_MALFORMED, error->message);
    }
    reader->folder->next_uid = uids[0] + 1;
    return result == IMAP_REFUSED;
}

static bool read_batch(struct reader *reader, const uint32_t *uids, size_t count,
                       const struct imap_news *news, struct error *error)
{
    const struct imap_message *messages;
    size_t found;
    enum imap_result result =
        imap_session_fetch(reader->session, uids, count, &messages, &found, error);
    if (result != IMAP_DONE) {
        return isolate(reader, uids, count, result, error);
    }
    for (size_t i = 0; i < found; i++) {
        take_message(reader, &messages[i], news);
    }
    reader->folder->next_uid = uids[count - 1] + 1;
    return true;
}

static bool read_batches(struct reader *reader, const uint32_t *uids, size_t count,
                         const struct imap_news *news, struct error *error)
{
    const struct folder *folder = reader->folder;
    for (size_t at = 0; at < count;) {
        // "n:*" names the last message even when it is older.
        if (uids[at] < folder->next_uid) {
            at++;
            continue;
        }
        size_t left = count - at;
        size_t batch = uids[at] <= folder->read_singly ? 1 : left < IMAP_BATCH ? left : IMAP_BATCH;
        if (!read_batch(reader, uids + at, batch, news, error)) {
            return false;
        }
        show_life(reader);
    }
    return true;
}

// From the first unread message to `last` (0: to the end).
static bool read_range(struct reader *reader, uint32_t last, const struct imap_news *news,
                       size_t *found, struct error *error)
{
    uint32_t *uids = NULL;
    struct moment asked = clock_now();
    enum imap_result result =
        imap_session_search(reader->session, reader->folder->next_uid, last, &uids, found, error);
    reader->searched = (struct imap_news){.at = clock_now(), .asked = asked};
    bool read = result == IMAP_DONE && read_batches(reader, uids, *found, news, error);
    free(uids);
    show_life(reader);
    return read;
}

// Range by range, as a large mailbox would not fit into one answer; over gaps they grow.
static bool read_up_to(struct reader *reader, uint32_t uid_next, const struct imap_news *news,
                       struct error *error)
{
    struct folder *folder = reader->folder;
    uint32_t width = FIRST_RANGE;
    while (folder->next_uid < uid_next) {
        size_t found;
        uint32_t left = uid_next - folder->next_uid;
        uint32_t last = folder->next_uid + (left < width ? left : width) - 1;
        if (!read_range(reader, last, news, &found, error)) {
            return false;
        }
        folder->next_uid = last + 1;
        width = found < width / 4 && width < RANGE_MAXIMUM ? width * 2 : width;
    }
    return true;
}

bool reader_read_news(struct reader *reader, struct error *error)
{
    struct imap_news news;
    size_t found;
    return !imap_session_take_news(reader->session, &news) ||
           read_range(reader, 0, &news, &found, error);
}

// After this, everything there when the check was sent has been reported. What is told of while the
// first news are being read was not there then.
static bool finish_check(struct reader *reader, struct moment sent, struct error *error)
{
    while (imap_session_has_news(reader->session)) {
        if (!reader_read_news(reader, error)) {
            return false;
        }
        reader->folder->checked = sent;
    }
    reader->folder->checked = sent;
    reader->folder->exists = imap_session_exists(reader->session);
    return true;
}

bool reader_check(struct reader *reader, struct error *error)
{
    struct moment sent = clock_now();
    return imap_session_noop(reader->session, error) == IMAP_DONE &&
           finish_check(reader, sent, error);
}

enum imap_result reader_open(struct reader *reader, struct folder *folder, struct error *error)
{
    reader->folder = NULL;
    reader->suspect = 0;
    reader->opened_at = clock_now();
    enum imap_result result =
        imap_session_select(reader->session, folder->name, &reader->opened, error);
    folder->readable = result == IMAP_DONE;
    if (result == IMAP_DONE) {
        if (reader->opened.uid_validity != folder->uid_validity) {
            folder_forget(folder, reader->opened.uid_validity);
        }
        reader->folder = folder;
    }
    return result;
}

bool reader_read_opened(struct reader *reader, struct error *error)
{
    struct imap_news news = {reader->opened.exists, clock_now(), reader->opened_at};
    size_t found;
    bool read = reader->opened.uid_next > 0
                    ? read_up_to(reader, reader->opened.uid_next, &news, error)
                    : read_range(reader, 0, &news, &found, error);
    return read && finish_check(reader, reader->opened_at, error);
}

// ---- deleting ----

// Without UIDPLUS everything flagged \Deleted goes, which must not take messages of others along.
static enum imap_result expunge_all(struct reader *reader, struct error *error)
{
    uint32_t *uids;
    size_t count;
    bool all_ours = true;
    enum imap_result result = imap_session_search_deleted(reader->session, &uids, &count, error);
    for (size_t i = 0; i < count; i++) {
        all_ours = all_ours && folder_is_doomed(reader->folder, uids[i]);
    }
    free(uids);
    if (result != IMAP_DONE) {
        return result;
    }
    if (!all_ours) {
        error_set(error, "its probes stay flagged as deleted: so are messages that are not ours, "
                         "and the server cannot expunge single ones (no UIDPLUS)");
        return IMAP_REFUSED;
    }
    return imap_session_expunge_all(reader->session, error);
}

static bool remove_batch(struct reader *reader, size_t count, struct error *error)
{
    struct folder *folder = reader->folder;
    enum imap_result result =
        imap_session_flag_deleted(reader->session, folder->doomed, count, error);
    if (result == IMAP_DONE) {
        result = imap_session_can_expunge_uids(reader->session)
                     ? imap_session_expunge(reader->session, folder->doomed, count, error)
                     : expunge_all(reader, error);
    }
    if (result == IMAP_REFUSED) {
        struct text text = TEXT_OVER(reader->hindrance);
        text_append(&text, "folder ");
        text_append_escaped(&text, folder->name);
        text_format(&text, ": %s", error->message);
    }
    if (result == IMAP_DONE || result == IMAP_REFUSED) {
        folder_drop_doomed(folder, count);
        return true;
    }
    return false;
}

bool reader_remove_doomed(struct reader *reader, struct error *error)
{
    struct folder *folder = reader->folder;
    while (folder->doomed_count > 0) {
        size_t count = folder->doomed_count < COLLECT_UIDS_MAXIMUM ? folder->doomed_count
                                                                   : COLLECT_UIDS_MAXIMUM;
        if (!remove_batch(reader, count, error)) {
            return false;
        }
    }
    folder->exists = imap_session_exists(reader->session);
    return true;
}
