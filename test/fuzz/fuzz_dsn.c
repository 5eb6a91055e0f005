// A message that may be a report of delivery, by whoever sent it: what it tells is bounded and
// plain, the same whenever it is read, and about a probe only if it says so.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "probes/collect/dsn.h"
#include "probes/collect/returned.h"
#include "probes/probe.h"

static void check_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);
    assert(end != NULL);
    for (const char *at = text; at < end;) {
        size_t length = text_character_length(at);
        assert(length > 0 && (unsigned char)*at >= ' ');
        at += length;
    }
}

static void check_bounce(const struct bounce *bounce)
{
    check_text(bounce->status, sizeof bounce->status);
    check_text(bounce->remote_mta, sizeof bounce->remote_mta);
    check_text(bounce->diagnostic, sizeof bounce->diagnostic);
    check_text(bounce->recipient, sizeof bounce->recipient);
    check_text(bounce->original_recipient, sizeof bounce->original_recipient);
}

// As the agent is told of it.
static void check_report(const struct dsn *dsn, const struct tag *tag)
{
    static struct collect_report report, read;
    struct error error;
    report = (struct collect_report){
        .kind = COLLECT_BOUNCE, .mailbox = "local", .folder = "INBOX", .uid = 1, .uid_validity = 1};
    report.bounce = dsn->bounce;
    report.tag = *tag;
    report.present = (struct moment){{1}, {1}};
    char *line = collect_report_encode(&report);
    read = (struct collect_report){0};
    assert(collect_report_decode(line, strlen(line) - 1, &read, &error));
    assert(memcmp(&read.bounce.action, &report.bounce.action, sizeof report.bounce.action) == 0 &&
           strcmp(read.bounce.diagnostic, report.bounce.diagnostic) == 0);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct recognised scratch;
    struct dsn dsn;
    struct tag tag;
    char *copy = fuzz_bytes(bytes, size);
    dsn_may_be(copy, size);
    dsn_begins(copy, size < DSN_BEGINNING_MAXIMUM ? size : DSN_BEGINNING_MAXIMUM);
    if (dsn_read(copy, size, &dsn)) {
        check_bounce(&dsn.bounce);
        assert(memchr(dsn.envelope_id, '\0', sizeof dsn.envelope_id) != NULL);
        assert(bytes_length(dsn.original) <= size);
        if (returned_identify(&dsn, &FUZZ_KEYS, &scratch, &tag) == RETURNED_CLAIMED) {
            check_report(&dsn, &tag);
        }
    }
    free(copy);
    return 0;
}
