#include "probes/collect/suspects.h"

#include <string.h>

#include "base/clock.h"
#include "probes/collect/dsn.h"
#include "probes/collect/reports.h"
#include "probes/collect/returned.h"

static void report_bounce(struct reader *reader, uint32_t uid, const struct bounce *bounce,
                          const struct tag *tag, bool verified)
{
    struct collect_report *report = reader_begin_report(reader, COLLECT_BOUNCE, uid);
    report->present = clock_now();
    report->verified = verified;
    report->tag = *tag;
    report->bounce = *bounce;
    report_write(report);
    reader->folder->ours++;
}

static void take_bytes(struct reader *reader, uint32_t uid, char *bytes, size_t length)
{
    struct dsn dsn;
    struct tag tag;
    if (!dsn_read(bytes, length, &dsn)) {
        return;
    }
    enum returned_identity identity =
        returned_identify(&dsn, reader->keys, &reader->recognised, &tag);
    if (identity != RETURNED_FOREIGN) {
        report_bounce(reader, uid, &dsn.bounce, &tag, identity == RETURNED_VERIFIED);
    }
}

// Piece by piece, as a larger literal is none of ours to parse.
static enum imap_result fetch(struct reader *reader, uint32_t uid, size_t *length,
                              struct error *error)
{
    *length = 0;
    for (bool more = true; more && *length < sizeof reader->message;) {
        const struct imap_message *piece;
        size_t found;
        enum imap_result result = imap_session_fetch_bytes(reader->session, uid, (uint32_t)*length,
                                                           &piece, &found, error);
        if (result != IMAP_DONE) {
            return result;
        }
        size_t got = found == 0 ? 0 : piece->header_length;
        memcpy(reader->message + *length, piece->headers, got);
        *length += got;
        more = got == WIRE_LITERAL_MAXIMUM;
    }
    return IMAP_DONE;
}

// What the server will not show, or shows so that it cannot be read, is left alone.
static bool examine_one(struct reader *reader, struct error *error)
{
    struct folder *folder = reader->folder;
    size_t length;
    uint32_t uid = folder->suspects[folder->suspect_count - 1];
    enum imap_result result = fetch(reader, uid, &length, error);
    if (result == IMAP_BROKEN) {
        return false;
    }
    folder->suspect_count--;
    if (result == IMAP_DONE) {
        take_bytes(reader, uid, reader->message, length);
    }
    return result != IMAP_UNREADABLE;
}

// Keeps those whose headers may be those of a report; all of them where the headers of one cannot
// be read, so that it does not stand in the way of the others.
static bool sift(struct reader *reader, struct error *error)
{
    struct folder *folder = reader->folder;
    const struct imap_message *messages;
    size_t found;
    enum imap_result result = imap_session_fetch_signs(
        reader->session, folder->suspects, folder->suspect_count, &messages, &found, error);
    if (result == IMAP_BROKEN) {
        return false;
    }
    folder->suspects_sifted = true;
    if (result == IMAP_UNREADABLE) {
        return false;
    }
    folder->suspect_count = 0;
    for (size_t i = 0; result == IMAP_DONE && i < found; i++) {
        if (dsn_may_be(messages[i].headers, messages[i].header_length)) {
            folder->suspects[folder->suspect_count++] = messages[i].uid;
        }
    }
    return true;
}

bool suspects_examine(struct reader *reader, struct error *error)
{
    struct folder *folder = reader->folder;
    if (folder->suspect_count > 0 && !folder->suspects_sifted && !sift(reader, error)) {
        return false;
    }
    while (folder->suspect_count > 0) {
        if (!examine_one(reader, error)) {
            return false;
        }
    }
    folder->suspects_sifted = false;
    return true;
}
