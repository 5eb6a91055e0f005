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

// False when it is no report of a probe.
static bool take_bytes(struct reader *reader, uint32_t uid, char *bytes, size_t length)
{
    struct dsn dsn;
    struct tag tag;
    if (!dsn_read(bytes, length, &dsn)) {
        return false;
    }
    enum returned_identity identity =
        returned_identify(&dsn, reader->keys, &reader->recognised, &tag);
    if (identity != RETURNED_FOREIGN) {
        report_bounce(reader, uid, &dsn.bounce, &tag, identity == RETURNED_VERIFIED);
    }
    return identity != RETURNED_FOREIGN;
}

// What has been read of a message.
struct taken {
    size_t length;
    uint32_t size; // of the whole
};

// From `offset` on, behind what has been read of it, up to `limit`. Piece by piece, as a larger
// literal is none of ours to parse.
static enum imap_result fetch(struct reader *reader, uint32_t uid, uint32_t offset, size_t limit,
                              struct taken *taken, struct error *error)
{
    for (bool more = true; more && taken->length < limit;) {
        const struct imap_message *piece;
        size_t found;
        enum imap_result result =
            imap_session_fetch_bytes(reader->session, uid, offset, &piece, &found, error);
        if (result != IMAP_DONE) {
            return result;
        }
        size_t got = found == 0 ? 0 : piece->header_length;
        memcpy(reader->message + taken->length, piece->headers, got);
        taken->length += got;
        taken->size = found == 0 ? taken->size : piece->size;
        offset += (uint32_t)got;
        more = got == WIRE_LITERAL_MAXIMUM;
    }
    return IMAP_DONE;
}

// Of one that is too long its beginning, as far as there is room; where that tells nothing, half of
// it and the end: what people are to read may be long, and the report proper stands behind it.
static enum imap_result examine(struct reader *reader, uint32_t uid, struct error *error)
{
    const size_t room = sizeof reader->message;
    struct taken taken = {0};
    enum imap_result result = fetch(reader, uid, 0, room, &taken, error);
    if (result != IMAP_DONE || take_bytes(reader, uid, reader->message, taken.length) ||
        taken.size <= room) {
        return result;
    }
    uint32_t end = taken.size - (uint32_t)(room / 2);
    taken.length = 0;
    result = fetch(reader, uid, 0, room / 2, &taken, error);
    if (result == IMAP_DONE) {
        result = fetch(reader, uid, end, room, &taken, error);
    }
    if (result == IMAP_DONE) {
        take_bytes(reader, uid, reader->message, taken.length);
    }
    return result;
}

// What the server will not show, or shows so that it cannot be read, is left alone.
static bool examine_one(struct reader *reader, struct error *error)
{
    struct folder *folder = reader->folder;
    enum imap_result result = examine(reader, folder->suspects[folder->suspect_count - 1], error);
    if (result == IMAP_BROKEN) {
        return false;
    }
    folder->suspect_count--;
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
