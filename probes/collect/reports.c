#include "probes/collect/reports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/text.h"

static struct {
    char bytes[2 * JSON_LINE_MAXIMUM];
    size_t length;
} waiting;

struct collect_report *report_begin(struct collect_report *report, enum collect_report_kind kind,
                                    const char *mailbox)
{
    memset(report, 0, sizeof *report);
    report->kind = kind;
    text_copy(report->mailbox, sizeof report->mailbox, mailbox);
    return report;
}

// When nobody reads any more, standard input ends too and the program with it.
static void write_whole(const char *line, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, line, length);
        if (written < 0 && errno != EINTR) {
            return;
        }
        if (written > 0) {
            line += written;
            length -= (size_t)written;
        }
    }
}

void reports_flush(void)
{
    write_whole(waiting.bytes, waiting.length);
    waiting.length = 0;
}

static void put(const char *line, size_t length)
{
    if (length > sizeof waiting.bytes - waiting.length) {
        reports_flush();
    }
    if (length > sizeof waiting.bytes) {
        write_whole(line, length);
        return;
    }
    memcpy(waiting.bytes + waiting.length, line, length);
    waiting.length += length;
}

static char *encode_too_big(const struct collect_report *report)
{
    struct collect_report rejected = *report;
    rejected.kind = COLLECT_REJECTED;
    rejected.rejection = REJECTED_TOO_BIG;
    text_copy(rejected.cause, sizeof rejected.cause, "its lists are longer than those of a probe");
    return collect_report_encode(&rejected);
}

// What does not fit of a long way are its oldest hops.
static char *encode_trace(const struct collect_report *report)
{
    struct collect_report shorter = *report;
    char *line = collect_report_encode(&shorter);
    while (strlen(line) > JSON_LINE_MAXIMUM && shorter.trace.count > 0) {
        free(line);
        trace_shorten(&shorter.trace);
        line = collect_report_encode(&shorter);
    }
    return line;
}

void report_write(const struct collect_report *report)
{
    char *line =
        report->kind == COLLECT_TRACE ? encode_trace(report) : collect_report_encode(report);
    if (strlen(line) > JSON_LINE_MAXIMUM && report->kind == COLLECT_ARRIVAL) {
        free(line);
        line = encode_too_big(report);
    }
    put(line, strlen(line));
    free(line);
}
