#include "shell/page_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char SPECIAL[] = "&<>\"'\\";

static const char *entity_of(char special)
{
    switch (special) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return "\\";
    }
}

void page_append_escaped(struct text *out, const char *value)
{
    while (*value != '\0') {
        char plain[256];
        struct text part = TEXT_OVER(plain);
        size_t length = strcspn(value, SPECIAL);
        text_append_bytes(&part, value, length < sizeof plain ? length : sizeof plain - 1);
        text_append_escaped(out, plain);
        value += part.length;
        if (part.length == length && *value != '\0') {
            text_append(out, entity_of(*value++));
        }
    }
}

// The larger unit, and the rest in the smaller one.
static void append_two(struct text *out, int64_t seconds, int64_t large, const char *large_name,
                       int64_t small, const char *small_name)
{
    text_format(out, "%" PRId64 " %s", seconds / large, large_name);
    if (seconds % large / small > 0) {
        text_format(out, " %" PRId64 " %s", seconds % large / small, small_name);
    }
}

static void append_duration(struct text *out, int64_t seconds)
{
    if (seconds < 100) {
        text_format(out, "%" PRId64 " s", seconds);
    } else if (seconds < 3600) {
        append_two(out, seconds, 60, "min", 1, "s");
    } else if (seconds < 86400) {
        append_two(out, seconds, 3600, "h", 60, "min");
    } else {
        append_two(out, seconds, 86400, "d", 3600, "h");
    }
}

// Three digits that count, as long as that is seconds.
void page_append_span(struct text *out, struct span of)
{
    double seconds = fabs(span_seconds(of));
    if (of.ns < 0) {
        text_append(out, "-");
    }
    if (seconds < 0.9995) {
        text_format(out, "%.*f ms", seconds < 0.01 ? 1 : 0, seconds * 1000);
    } else if (seconds < 99.95) {
        text_format(out, "%.*f s", seconds < 9.995 ? 2 : 1, seconds);
    } else {
        append_duration(out, (int64_t)seconds);
    }
}

void page_append_time(struct text *out, struct walltime at, struct walltime now)
{
    if (!walltime_known(at)) {
        text_append(out, "&ndash;");
        return;
    }
    char stamp[32];
    struct text text = TEXT_OVER(stamp);
    walltime_append_seconds(at, &text);
    struct span passed = walltime_since(now, at);
    text_format(out, "%.10s %.8s <span class=\"soft\">(", stamp, stamp + 11);
    if (passed.ns < 0) {
        text_append(out, "in ");
        append_duration(out, walltime_since(at, now).ns / 1000000000);
    } else {
        append_duration(out, passed.ns / 1000000000);
        text_append(out, " ago");
    }
    text_append(out, ")</span>");
}
