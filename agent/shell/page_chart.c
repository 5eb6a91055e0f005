#include "shell/page_chart.h"

#include <math.h>

#include "shell/page_sign.h"
#include "shell/page_text.h"

enum { WIDTH = 1000, HEIGHT = 280, LABELS = 24, MARKS_A_PART = 24 };

// ---- scales ----

// What one reads easily on a logarithmic scale of durations.
static const struct {
    double seconds;
    const char *label;
} TICKS[] = {
    {0.0001, "0.1 ms"}, {0.001, "1 ms"}, {0.01, "10 ms"}, {0.1, "100 ms"},
    {1, "1 s"},         {10, "10 s"},    {60, "1 min"},   {600, "10 min"},
    {3600, "1 h"},      {36000, "10 h"}, {345600, "4 d"}, {3456000, "40 d"},
};
enum { TICK_COUNT = sizeof TICKS / sizeof TICKS[0] };

static struct span warning_of(const struct page_chart *chart)
{
    return core_peer(agent_core(chart->agent), chart->query->peer)->settings->path.latency.warning;
}

// From the last tick at or below what there is to the first one at or above it, the threshold
// included.
static void choose_scale(struct page_chart *chart)
{
    struct span least, greatest, warning = warning_of(chart);
    if (!smoke_extent(chart->smoke, &least, &greatest)) {
        least = greatest = warning;
    }
    double from = span_seconds(span_shorter(least, warning));
    double to = span_seconds(span_longer(greatest, warning));
    size_t first = 0, last = TICK_COUNT - 1;
    while (first + 1 < TICK_COUNT && TICKS[first + 1].seconds <= from) {
        first++;
    }
    while (last > first + 1 && TICKS[last - 1].seconds >= to) {
        last--;
    }
    chart->least = log10(TICKS[first].seconds);
    chart->range = log10(TICKS[last].seconds) - chart->least;
}

static double y_of(const struct page_chart *chart, double seconds)
{
    double place = (log10(fmax(seconds, 1e-5)) - chart->least) / chart->range;
    return HEIGHT * (1 - fmin(fmax(place, 0), 1));
}

// From 0 to 1.
static double x_of(const struct page_chart *chart, struct walltime at)
{
    double whole = span_seconds(walltime_since(chart->smoke->to, chart->smoke->from));
    double place = span_seconds(walltime_since(at, chart->smoke->from)) / whole;
    return fmin(fmax(place, 0), 1);
}

// ---- what lies behind ----

static void append_open(struct text *out, const struct page_chart *chart)
{
    text_format(out,
                "<svg class=\"chart\" width=\"100%%\" height=\"%d\" role=\"img\" "
                "aria-label=\"Latency over the last %s on a logarithmic scale\">\n",
                HEIGHT + LABELS, chart->smoke->range->name);
}

static void append_windows(struct text *out, const struct page_chart *chart)
{
    enum { SHADES_MAXIMUM = 24 };
    const struct windows *windows = core_windows(agent_core(chart->agent));
    const struct smoke *smoke = chart->smoke;
    unsigned shown = 0;
    for (size_t i = 0; i < windows->count && shown < SHADES_MAXIMUM; i++) {
        const struct window *window = &windows->items[i];
        if (!path_query_shows(agent_settings(chart->agent), chart->query, window, smoke->from,
                              smoke->to)) {
            continue;
        }
        double begin = x_of(chart, window_from(window)), end = x_of(chart, window_until(window));
        text_format(out,
                    "<rect class=\"shade\" x=\"%.2f%%\" y=\"0\" width=\"%.2f%%\" "
                    "height=\"%d\"><title>Maintenance of ",
                    100 * begin, 100 * fmax(end - begin, 0.002), HEIGHT);
        page_append_escaped(out, window->server);
        text_append(out, "</title></rect>\n");
        shown++;
    }
}

static void append_level(struct text *out, double y, const char *class, const char *label)
{
    text_format(out,
                "<line class=\"%s\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text class=\"%s\" x=\"2\" y=\"%.1f\">%s</text>\n",
                class, y, y, class, y < 14 ? y + 13 : y - 4, label);
}

static void append_levels(struct text *out, const struct page_chart *chart)
{
    char label[64];
    struct text text = TEXT_OVER(label);
    for (size_t i = 0; i < TICK_COUNT; i++) {
        double place = (log10(TICKS[i].seconds) - chart->least) / chart->range;
        if (place > -0.001 && place < 1.001) {
            append_level(out, y_of(chart, TICKS[i].seconds), "level", TICKS[i].label);
        }
    }
    struct span warning = warning_of(chart);
    double y = y_of(chart, span_seconds(warning));
    text_append(&text, "late after ");
    page_append_span(&text, warning);
    text_format(out,
                "<line class=\"threshold\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text class=\"threshold\" x=\"8%%\" y=\"%.1f\">%s</text>\n",
                y, y, y < 14 ? y + 13 : y - 4, label);
}

// As long a step as leaves about six of them.
static struct span step_of(struct span length)
{
    static const int64_t MINUTES[] = {10, 60, 240, 1440, 7200};
    size_t i = 0;
    while (i + 1 < sizeof MINUTES / sizeof MINUTES[0] &&
           SPAN_MINUTES(MINUTES[i]).ns * 8 < length.ns) {
        i++;
    }
    return SPAN_MINUTES(MINUTES[i]);
}

static void append_times(struct text *out, const struct page_chart *chart)
{
    const struct smoke *smoke = chart->smoke;
    struct span step = step_of(smoke->range->length);
    bool days = step.ns >= SPAN_HOURS(24).ns;
    struct walltime at = {(smoke->from.ns / step.ns + 1) * step.ns};
    for (; at.ns < smoke->to.ns; at = walltime_add(at, step)) {
        char stamp[40];
        struct text text = TEXT_OVER(stamp);
        double x = x_of(chart, at);
        walltime_append_seconds(at, &text);
        text_format(out,
                    "<line class=\"level\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>"
                    "<text class=\"time\" x=\"%.2f%%\" y=\"%d\" text-anchor=\"%s\">%.5s</text>\n",
                    100 * x, 100 * x, HEIGHT, HEIGHT + 5, 100 * x, HEIGHT + 19,
                    x < 0.03   ? "start"
                    : x > 0.97 ? "end"
                               : "middle",
                    stamp + (days ? 5 : 11));
    }
}

// ---- the curves: as far as buckets follow each other without a gap ----

static double middle_of(const struct page_chart *chart, size_t bucket)
{
    struct span half = {chart->smoke->range->bucket.ns / 2};
    return WIDTH * x_of(chart, walltime_add(chart->smoke->buckets[bucket].at, half));
}

static void append_point(struct text *out, const struct page_chart *chart, size_t bucket,
                         enum smoke_quantile quantile, bool first)
{
    text_format(out, "%s%.1f %.1f", first ? "M" : " ", middle_of(chart, bucket),
                y_of(chart, span_seconds(chart->smoke->buckets[bucket].quantiles[quantile])));
}

static size_t end_of_run(const struct smoke *smoke, size_t first)
{
    size_t end = first;
    while (end < smoke->bucket_count && smoke->buckets[end].count > 0) {
        end++;
    }
    return end;
}

// There along one quantile and back along the other.
static void append_band(struct text *out, const struct page_chart *chart, const char *class,
                        enum smoke_quantile low, enum smoke_quantile high)
{
    const struct smoke *smoke = chart->smoke;
    text_format(out, "<path class=\"%s\" d=\"", class);
    for (size_t first = 0; first < smoke->bucket_count; first++) {
        size_t end = end_of_run(smoke, first);
        for (size_t i = first; i < end; i++) {
            append_point(out, chart, i, high, i == first);
        }
        for (size_t i = end; i > first; i--) {
            append_point(out, chart, i - 1, low, false);
        }
        text_append(out, end > first ? "z" : "");
        first = end;
    }
    text_append(out, "\"/>\n");
}

// A bucket by itself becomes a short stretch.
static void append_median(struct text *out, const struct page_chart *chart)
{
    const struct smoke *smoke = chart->smoke;
    text_append(out, "<path class=\"median\" d=\"");
    for (size_t first = 0; first < smoke->bucket_count; first++) {
        size_t end = end_of_run(smoke, first);
        for (size_t i = first; i < end; i++) {
            append_point(out, chart, i, SMOKE_P50, i == first);
        }
        text_append(out, end == first + 1 ? "h3" : "");
        first = end;
    }
    text_append(out, "\"/>\n</svg>\n");
}

// ---- the marks ----

static const char *shape_of(const struct smoke_mark *mark)
{
    switch (page_tone_of_verdict(mark->verdict)) {
    case TONE_BAD:
        return "M-5-5 5 5M5-5-5 5";
    case TONE_WARN:
        return "M0-6 6 5H-6z";
    default:
        return "M0-6 6 0 0 6-6 0z";
    }
}

// A drawing's title is plain text.
static void append_instant(struct text *out, struct walltime at)
{
    char stamp[32];
    struct text text = TEXT_OVER(stamp);
    walltime_append_seconds(at, &text);
    text_format(out, "%.10s %.8s", stamp, stamp + 11);
}

static void append_mark(struct text *out, const struct page_chart *chart,
                        const struct smoke_mark *mark)
{
    double y = mark->latency.ns > 0 ? y_of(chart, span_seconds(mark->latency)) : 8;
    text_format(out, "<svg class=\"mark %s\" x=\"%.2f%%\" y=\"%.1f\"><title>%u %s, ",
                page_tone_class(page_tone_of_verdict(mark->verdict)), 100 * x_of(chart, mark->at),
                y, mark->count, verdict_name(mark->verdict));
    if (mark->latency.ns > 0) {
        page_append_span(out, mark->latency);
        text_append(out, ", ");
    }
    append_instant(out, mark->at);
    text_format(out, "</title><path d=\"%s\"/>", shape_of(mark));
    if (mark->count > 1) {
        text_format(out, "<text x=\"9\" y=\"4\">&times;%u</text>", mark->count);
    }
    text_append(out, "</svg>\n");
}

static bool append_marks(struct text *out, struct page_chart *chart)
{
    for (int i = 0; i < MARKS_A_PART; i++) {
        if (chart->mark == chart->smoke->mark_count) {
            text_append(out, "</svg>\n");
            return false;
        }
        append_mark(out, chart, &chart->smoke->marks[chart->mark++]);
    }
    return true;
}

// ---- all of it ----

static void append_curves_begin(struct text *out)
{
    text_format(out,
                "<svg width=\"100%%\" height=\"%d\" viewBox=\"0 0 %d %d\" "
                "preserveAspectRatio=\"none\">\n",
                HEIGHT, WIDTH, HEIGHT);
}

bool page_chart_next(struct text *out, struct page_chart *chart)
{
    switch (chart->part++) {
    case 0:
        choose_scale(chart);
        append_open(out, chart);
        append_windows(out, chart);
        return true;
    case 1:
        append_levels(out, chart);
        append_times(out, chart);
        append_curves_begin(out);
        return true;
    case 2:
        append_band(out, chart, "smoke wide", SMOKE_P5, SMOKE_P95);
        return true;
    case 3:
        append_band(out, chart, "smoke", SMOKE_P25, SMOKE_P75);
        return true;
    case 4:
        append_median(out, chart);
        return true;
    default:
        return append_marks(out, chart);
    }
}
