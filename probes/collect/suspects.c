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
    reader->folder->ours += verified; // what only claims to be about a probe stays
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

// The newest one, which need not be the one that the last piece was of.
static uint32_t choose(struct reader *reader)
{
    const struct folder *folder = reader->folder;
    uint32_t uid = folder->suspects[folder->suspect_count - 1];
    if (uid != reader->suspect) {
        reader->suspect = uid;
        reader->message_length = 0;
        reader->suspect_offset = 0;
        reader->suspect_ends = false;
    }
    return uid;
}

static void drop(struct reader *reader)
{
    reader->folder->suspect_count--;
    reader->suspect = 0;
}

static bool is_broken(struct reader *reader, uint32_t uid)
{
    if (reader->folder->suspect_broke == uid) {
        drop(reader);
    } else {
        reader->folder->suspect_broke = uid;
    }
    return false;
}

// Of one that is too long its beginning, as far as there is room; where that tells nothing, half of
// it and the end: what people are to read may be long, and the report proper stands behind it.
static void take_piece(struct reader *reader, uint32_t uid, const char *bytes, size_t length,
                       uint32_t size)
{
    const size_t room = sizeof reader->message;
    memcpy(reader->message + reader->message_length, bytes, length);
    reader->message_length += length;
    reader->suspect_offset += (uint32_t)length;
    bool first = reader->message_length == length && !reader->suspect_ends;
    if (length == WIRE_LITERAL_MAXIMUM && reader->message_length < room &&
        (!first || dsn_begins(bytes, length))) {
        if (reader->suspect_ends && reader->message_length == room / 2) {
            reader->suspect_offset = size - (uint32_t)(room / 2);
        }
        return;
    }
    bool whole = first || size <= room || reader->suspect_ends;
    if (!take_bytes(reader, uid, reader->message, reader->message_length) && !whole) {
        reader->suspect_ends = true;
        reader->message_length = 0;
        reader->suspect_offset = 0;
        return;
    }
    drop(reader);
}

// One command: the next piece of one suspect, as a larger literal is none of ours to parse. What
// the server will not show, or shows so that it cannot be read, is left alone.
static bool step(struct reader *reader, struct error *error)
{
    const struct imap_message *piece;
    size_t found;
    uint32_t uid = choose(reader), offset = reader->suspect_offset;
    enum imap_result result =
        imap_session_fetch_bytes(reader->session, uid, offset, &piece, &found, error);
    if (result == IMAP_BROKEN) {
        return is_broken(reader, uid);
    }
    if (result != IMAP_DONE) {
        drop(reader);
        return result == IMAP_REFUSED;
    }
    take_piece(reader, uid, found == 0 ? "" : piece->headers, found == 0 ? 0 : piece->header_length,
               found == 0 ? 0 : piece->size);
    return true;
}

bool suspects_examine(struct reader *reader, struct error *error)
{
    struct instant until = instant_add(clock_now().instant, SUSPECTS_SPAN);
    bool rests = false;
    while (reader->folder->suspect_count > 0 && !rests) {
        if (!step(reader, error)) {
            return false;
        }
        rests =
            imap_session_has_news(reader->session) || instant_reached(clock_now().instant, until);
    }
    return true;
}
