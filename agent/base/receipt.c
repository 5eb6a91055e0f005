#include "base/receipt.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void receipts_format(const struct receipts *receipts, struct text *out)
{
    text_format(out, "as_of=%" PRId64 "; seen=%" PRId64, walltime_microseconds(receipts->as_of),
                walltime_microseconds(receipts->seen));
    if (walltime_known(receipts->gap_end)) {
        text_format(out, "; gap=%" PRId64 "-%" PRId64, walltime_microseconds(receipts->gap_begin),
                    walltime_microseconds(receipts->gap_end));
    }
    text_append(out, "; got=");
    for (size_t i = 0; i < receipts->count; i++) {
        const struct receipt *item = &receipts->items[i];
        char id[PROBE_ID_TEXT];
        text_format(out, "%s%s/%" PRId64 "/%" PRId64, i > 0 ? " " : "",
                    probe_id_format(&item->id, id), walltime_microseconds(item->arrived),
                    item->error.ns / 1000);
    }
}

// Reads a number of microseconds at *at and moves past it.
static bool read_microseconds(const char **at, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(*at, &end, 10);
    // strtoll would also take blanks and a sign in front.
    if (!isdigit((unsigned char)**at) || errno != 0 || value > INT64_MAX / 1000) {
        return false;
    }
    *at = end;
    *out = value;
    return true;
}

static bool read_time(const char **at, struct walltime *out)
{
    int64_t us;
    if (!read_microseconds(at, &us)) {
        return false;
    }
    *out = walltime_from_microseconds(us);
    return true;
}

static bool skip(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0) {
        return false;
    }
    *at += length;
    return true;
}

static bool read_item(const char **at, struct receipt *out)
{
    char id[PROBE_ID_TEXT] = "";
    int64_t error_us;
    if (strlen(*at) < PROBE_ID_TEXT) {
        return false;
    }
    memcpy(id, *at, PROBE_ID_TEXT - 1);
    *at += PROBE_ID_TEXT - 1;
    if (!probe_id_parse(id, &out->id) || !skip(at, "/") || !read_time(at, &out->arrived) ||
        !skip(at, "/") || !read_microseconds(at, &error_us)) {
        return false;
    }
    out->error = (struct span){error_us * 1000};
    return true;
}

// Up to the end, or to what a later version may put behind the list.
static bool read_items(const char **at, struct receipts *out, struct error *error)
{
    while (**at != '\0' && **at != ';') {
        if (out->count == RECEIPTS_MAXIMUM) {
            return error_set(error, "more than %d receipts in one probe", RECEIPTS_MAXIMUM);
        }
        if ((out->count > 0 && !skip(at, " ")) || !read_item(at, &out->items[out->count])) {
            return error_set(error, "receipt %zu is not id/arrived/error", out->count + 1);
        }
        out->count++;
    }
    return true;
}

bool receipts_parse(const char *value, struct receipts *out, struct error *error)
{
    const char *at = value;
    *out = (struct receipts){0};
    if (!skip(&at, "as_of=") || !read_time(&at, &out->as_of) || !skip(&at, "; seen=") ||
        !read_time(&at, &out->seen)) {
        return error_set(error, "receipts begin with neither as_of nor seen: %.40s", value);
    }
    if (skip(&at, "; gap=") &&
        (!read_time(&at, &out->gap_begin) || !skip(&at, "-") || !read_time(&at, &out->gap_end) ||
         out->gap_begin.ns > out->gap_end.ns)) {
        return error_set(error, "receipts have a gap that is no pair of times: %.40s", at);
    }
    if (!skip(&at, "; got=")) {
        return error_set(error, "receipts have no list: %.40s", at);
    }
    return read_items(&at, out, error);
}
