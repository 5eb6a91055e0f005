#include "ctl/format.h"

#include <inttypes.h>
#include <time.h>

static const int64_t SECOND = INT64_C(1000000000);

static int64_t rounded(int64_t value, int64_t unit)
{
    return value / unit + (value % unit >= unit / 2 ? 1 : 0);
}

static void append_tenths(int64_t tenths, const char *unit, struct text *out)
{
    text_format(out, "%" PRId64 ".%" PRId64 " %s", tenths / 10, tenths % 10, unit);
}

void format_latency(struct span of, struct text *out)
{
    int64_t ns = span_magnitude(of).ns;
    int64_t tenth_ms = rounded(ns, SECOND / 10000);
    int64_t tenth_s = rounded(ns, SECOND / 10);
    if (of.ns < 0) {
        text_append(out, "-");
    }
    if (tenth_ms < 10000) {
        append_tenths(tenth_ms, "ms", out);
    } else if (tenth_s < 1200) {
        append_tenths(tenth_s, "s", out);
    } else {
        format_duration((struct span){nanoseconds_add(ns, SECOND / 2)}, out);
    }
}

void format_duration(struct span of, struct text *out)
{
    static const struct unit {
        int64_t seconds;
        const char *name;
    } UNITS[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
    int64_t seconds = span_magnitude(of).ns / SECOND;
    size_t i = 0;
    while (UNITS[i].seconds > 1 && seconds < UNITS[i].seconds) {
        i++;
    }
    if (of.ns < 0 && seconds > 0) {
        text_append(out, "-");
    }
    text_format(out, "%" PRId64 " %s", seconds / UNITS[i].seconds, UNITS[i].name);
    int64_t rest = UNITS[i].seconds > 1 ? seconds % UNITS[i].seconds / UNITS[i + 1].seconds : 0;
    if (rest > 0) {
        text_format(out, " %" PRId64 " %s", rest, UNITS[i + 1].name);
    }
}

void format_distance(struct walltime at, struct walltime now, struct text *out)
{
    struct span ahead = walltime_since(at, now);
    if (ahead.ns > 0) {
        text_append(out, "in ");
        format_duration((struct span){nanoseconds_add(ahead.ns, SECOND - 1)}, out);
    } else {
        format_duration(walltime_since(now, at), out);
        text_append(out, " ago");
    }
}

static struct tm local_time(struct walltime at)
{
    time_t seconds = (time_t)(at.ns / SECOND - (at.ns % SECOND < 0 ? 1 : 0));
    struct tm local = {0};
    localtime_r(&seconds, &local);
    return local;
}

static void append_clock(const struct tm *local, struct text *out)
{
    text_format(out, "%02d:%02d:%02d", local->tm_hour, local->tm_min, local->tm_sec);
}

static void append_date(const struct tm *local, struct text *out)
{
    text_format(out, "%04d-%02d-%02d ", local->tm_year + 1900, local->tm_mon + 1, local->tm_mday);
    append_clock(local, out);
}

void format_date(struct walltime at, struct text *out)
{
    struct tm local = local_time(at);
    append_date(&local, out);
}

void format_clock(struct walltime at, struct walltime now, struct text *out)
{
    struct tm local = local_time(at);
    struct tm today = local_time(now);
    if (local.tm_year == today.tm_year && local.tm_yday == today.tm_yday) {
        append_clock(&local, out);
    } else {
        append_date(&local, out);
    }
}

void format_zone(struct walltime at, struct text *out)
{
    char zone[32];
    struct tm local = local_time(at);
    if (strftime(zone, sizeof zone, " %Z", &local) > 0) {
        format_text(zone, out);
    }
}

void format_text(const char *from, struct text *out)
{
    size_t begin = out->length;
    text_append_escaped(out, from);
    const char *read = out->data + begin;
    char *write = out->data + begin;
    while (*read != '\0') {
        if (read[0] == '\\' && read[1] == '"') {
            read++;
        } else if (read[0] == '\\' && read[1] != '\0') {
            *write++ = *read++;
        }
        *write++ = *read++;
    }
    *write = '\0';
    out->length = (size_t)(write - out->data);
}
