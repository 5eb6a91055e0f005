#include "shell/page_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/incident.h"

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
        text_append_bytes(&part, value, length);
        if (part.length == 0 && length > 0) { // no character ends there, so they are none
            part = TEXT_OVER(plain);
            text_append_bytes(&part, value, 1);
        }
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

// Three digits that count, as long as that is seconds and not a whole number of them.
void page_append_span(struct text *out, struct span of)
{
    double seconds = fabs(span_seconds(of));
    if (of.ns < 0) {
        text_append(out, "-");
    }
    if (seconds < 0.9995) {
        text_format(out, "%.*f ms", seconds < 0.01 ? 1 : 0, seconds * 1000);
    } else if (seconds < 99.95) {
        int digits = of.ns % 1000000000 == 0 ? 0 : seconds < 9.995 ? 2 : 1;
        text_format(out, "%.*f s", digits, seconds);
    } else {
        append_duration(out, (int64_t)seconds);
    }
}

static bool is_same_day(struct walltime a, struct walltime b)
{
    const int64_t day = 86400000000000;
    return a.ns / day == b.ns / day;
}

void page_append_clock(struct text *out, struct walltime at, struct walltime now, int digits)
{
    char stamp[40];
    struct text text = TEXT_OVER(stamp);
    if (!walltime_known(at)) {
        text_append(out, "&ndash;");
        return;
    }
    walltime_append_rfc3339(at, &text);
    text_format(out, "<time datetime=\"%s\">", stamp);
    if (!is_same_day(at, now)) {
        text_format(out, "%.10s ", stamp);
    }
    text_format(out, "%.*s</time>", digits == 0 ? 8 : 9 + digits, stamp + 11);
}

void page_append_countdown(struct text *out, struct walltime at, struct walltime now)
{
    char stamp[40];
    struct text text = TEXT_OVER(stamp);
    int64_t left = walltime_since(at, now).ns;
    if (left < 0) {
        append_duration(out, -left / 1000000000);
        text_append(out, " ago");
        return;
    }
    walltime_append_rfc3339(at, &text);
    text_format(out, "<span data-until=\"%s\">in ", stamp);
    append_duration(out, left / 1000000000);
    text_append(out, "</span>");
}

void page_append_time(struct text *out, struct walltime at, struct walltime now)
{
    page_append_clock(out, at, now, 0);
    if (walltime_known(at)) {
        text_append(out, " <span class=\"soft\">(");
        page_append_countdown(out, at, now);
        text_append(out, ")</span>");
    }
}

void page_append_path_url(struct text *out, const char *path)
{
    text_append(out, "/path?name=");
    text_append_encoded(out, path);
}

void page_append_path(struct text *out, const char *path)
{
    char from[SUBJECT_TEXT_SIZE];
    struct text text = TEXT_OVER(from);
    const char *arrow = strstr(path, "->");
    if (arrow == NULL) {
        page_append_escaped(out, path);
        return;
    }
    text_append_bytes(&text, path, (size_t)(arrow - path));
    page_append_escaped(out, from);
    text_append(out, " &rarr; ");
    page_append_escaped(out, arrow + 2);
}

void page_append_path_link(struct text *out, const char *path)
{
    text_append(out, "<a href=\"");
    page_append_path_url(out, path);
    text_append(out, "\">");
    page_append_path(out, path);
    text_append(out, "</a>");
}
