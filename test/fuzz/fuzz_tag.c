// The values of the Mailflow- headers and the Message-ID: what was read and is written again is
// read as the same, and what is written here is under a signature that holds.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "base/local_time.h"
#include "base/receipt.h"
#include "base/signature.h"
#include "base/tag_codec.h"
#include "core/announcement.h"
#include "core/row.h"
#include "fuzz.h"

enum { ROW_SERVERS = 256 };

static void sign_and_verify(const char *probe)
{
    char signature[TAG_SIGNATURE_SIZE];
    struct error error;
    struct text text = TEXT_OVER(signature);
    struct tag_values values = {{[TAG_PROBE] = probe}};
    tag_sign(&values, &FUZZ_KEYS.keys[0], &text);
    values.of[TAG_SIGNATURE] = signature;
    assert(!text.truncated && tag_verify(&values, &FUZZ_KEYS, &error));
    values.of[TAG_ROW] = "ok=mx01";
    assert(!tag_verify(&values, &FUZZ_KEYS, &error));
}

static void check_message_id(const struct tag *tag)
{
    char message_id[TAG_MESSAGE_ID_SIZE], again[TAG_MESSAGE_ID_SIZE];
    struct error error;
    struct tag read;
    struct text text = TEXT_OVER(message_id), second = TEXT_OVER(again);
    tag_format_message_id(tag, &FUZZ_KEYS.keys[0], "mx.example", &text);
    assert(!text.truncated && tag_parse_message_id(message_id, &FUZZ_KEYS, &read, &error));
    tag_format_message_id(&read, &FUZZ_KEYS.keys[0], "mx.example", &second);
    assert(strcmp(message_id, again) == 0);
}

static void check_probe(const char *value)
{
    char once[TAG_PROBE_SIZE], twice[TAG_PROBE_SIZE];
    struct error error;
    struct tag tag, read;
    struct text first = TEXT_OVER(once), second = TEXT_OVER(twice);
    if (!tag_parse_probe(value, &tag, &error)) {
        return;
    }
    tag_format_probe(&tag, &first);
    assert(!first.truncated && tag_parse_probe(once, &read, &error));
    tag_format_probe(&read, &second);
    assert(strcmp(once, twice) == 0);
    sign_and_verify(once);
    check_message_id(&tag);
}

static void check_receipts(const char *value)
{
    char once[TAG_LIST_SIZE], twice[TAG_LIST_SIZE];
    struct error error;
    struct receipts receipts, read;
    struct text first = TEXT_OVER(once), second = TEXT_OVER(twice);
    if (!receipts_parse(value, &receipts, &error)) {
        return;
    }
    assert(receipts.count <= RECEIPTS_MAXIMUM);
    receipts_format(&receipts, &first);
    assert(!first.truncated && receipts_parse(once, &read, &error));
    receipts_format(&read, &second);
    assert(strcmp(once, twice) == 0);
}

// Of the entries that fit every one says again what it said.
static void check_row(const char *value)
{
    static struct row_entry entries[ROW_SERVERS];
    char row[ROW_SIZE];
    struct text text = TEXT_OVER(row);
    struct row_reader reader = row_read(value);
    struct row_entry entry, again;
    size_t count = 0;
    while (row_next(&reader, &entry)) {
        assert(server_name_valid(entry.server) && row_find(value, entry.server, &again));
        if (count < ROW_SERVERS && strcmp(again.server, entry.server) == 0 &&
            memcmp(again.ways, entry.ways, sizeof entry.ways) == 0) {
            entries[count++] = entry;
        }
    }
    row_format(entries, count, &text);
    assert(!text.truncated);
    for (size_t i = 0; i < count; i++) {
        if (row_find(row, entries[i].server, &again)) {
            assert(memcmp(again.ways, entries[i].ways, sizeof again.ways) == 0);
        }
    }
}

static void check_announced(const struct announced *announced)
{
    char again[TAG_LIST_SIZE];
    struct error error = {""};
    struct announced read;
    struct text text = TEXT_OVER(again);
    const char *at = again;
    const struct window *window = &announced->window;
    bool added =
        announced->kind == ANNOUNCED_WINDOW ? announcement_add_window(&text, window)
        : announced->kind == ANNOUNCED_KNOWN
            ? announcement_add_known(&text, window->id, window->revision)
            : announcement_add_refused(&text, window->id, window->revision, announced->why);
    assert(added && announcement_next(&at, &read, &error));
    assert(read.kind == announced->kind && strcmp(read.window.id, window->id) == 0 &&
           read.window.revision == window->revision && strcmp(read.why, announced->why) == 0);
    assert(read.kind != ANNOUNCED_WINDOW || window_same(&read.window, window));
}

static void check_announcement(const char *value)
{
    struct error error = {""};
    struct announced announced;
    while (announcement_next(&value, &announced, &error)) {
        check_announced(&announced);
    }
}

static void check_signature(const char *value)
{
    char again[TAG_SIGNATURE_SIZE];
    struct error error;
    struct signature signature, read;
    struct text text = TEXT_OVER(again);
    if (signature_parse(value, &FUZZ_KEYS, &signature, &error)) {
        signature_format(signature.key, signature.digest, &text);
        assert(signature_parse(again, &FUZZ_KEYS, &read, &error) &&
               signature_matches(&read, signature.digest, &error));
    }
}

static void check_times(const char *value)
{
    char again[64];
    struct text text = TEXT_OVER(again);
    struct walltime at, read;
    struct span span, same;
    struct local_time local;
    if (walltime_parse_rfc3339(value, &at)) {
        walltime_append_rfc3339(at, &text);
        assert(!text.truncated && walltime_parse_rfc3339(again, &read));
        assert(walltime_microseconds(read) == walltime_microseconds(at) || at.ns < 0);
    }
    text = TEXT_OVER(again);
    if (span_parse(value, &span) && span.ns % 1000000 == 0 && span.ns < SPAN_SECONDS(1000).ns) {
        span_append(span, &text);
        assert(!text.truncated && span_parse(again, &same) && same.ns == span.ns);
    }
    local_time_parse(value, &local);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const CHECKS[])(const char *value) = {
        ['p'] = check_probe,        ['r'] = check_receipts,  ['w'] = check_row,
        ['a'] = check_announcement, ['s'] = check_signature, ['t'] = check_times};
    struct error error;
    struct tag tag;
    if (size == 0 || size > TAG_LIST_SIZE) {
        return 0;
    }
    char *value = fuzz_text(bytes + 1, size - 1);
    if (bytes[0] == 'm') {
        tag_parse_message_id(value, &FUZZ_KEYS, &tag, &error);
    } else if (bytes[0] < sizeof CHECKS / sizeof CHECKS[0] && CHECKS[bytes[0]] != NULL) {
        CHECKS[bytes[0]](value);
    }
    free(value);
    return 0;
}
