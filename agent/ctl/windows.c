#include "ctl/windows.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ctl/acknowledgements.h"
#include "base/answer.h"
#include "ctl/format.h"
#include "ctl/table.h"

#define LISTED_AHEAD SPAN_HOURS(7 * 24)

static const struct table_column COLUMNS[] = {
    {.title = "WINDOW"},
    {.title = "SERVER", .cut = 8},
    {.title = "KIND", .sequence = 2},
    {.title = "STATE"},
    {.title = "BEGIN", .sequence = 3, .timed = true},
    {.title = "END", .sequence = 4, .timed = true},
    {.title = "COUNTDOWN", .sequence = 5},
    {.title = "KNOWN BY", .right = true},
    {.title = "ORIGIN", .sequence = 1},
    {.title = "BY", .cut = 8, .sequence = 1},
    {.title = "REASON", .cut = 8, .sequence = 1},
};

bool window_in_state(const json_t *window, const char *state)
{
    return strcmp(answer_text(window, "state"), state) == 0;
}

static enum colour state_colour(const json_t *window)
{
    return window_in_state(window, "active")       ? COLOUR_NOTE
           : window_in_state(window, "recovering") ? COLOUR_WARNING
                                                   : COLOUR_PLAIN;
}

static void add_clock(struct table *table, const json_t *window, const char *member,
                      struct walltime now)
{
    char shown[64] = "";
    struct text text = TEXT_OVER(shown);
    struct walltime at;
    if (answer_time(window, member, &at)) {
        format_clock(at, now, &text);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

// Until when mail that waited may still come, which then is no surprise.
static void append_recovery(const json_t *window, struct walltime now, struct text *out)
{
    struct walltime recovered;
    if (window_in_state(window, "recovering") && answer_time(window, "recovered", &recovered)) {
        text_append(out, ", recovers until ");
        format_clock(recovered, now, out);
    }
}

static void add_countdown(struct table *table, const json_t *window, struct walltime now)
{
    char shown[64] = "";
    struct text text = TEXT_OVER(shown);
    struct walltime begin, end;
    if (answer_time(window, "begin", &begin) && answer_time(window, "end", &end) &&
        !answer_true(window, "cancelled")) {
        bool begun = begin.ns <= now.ns;
        bool ended = end.ns <= now.ns;
        text_append(&text, ended ? "ended " : begun ? "ends " : "begins ");
        format_distance(begun ? end : begin, now, &text);
        append_recovery(window, now, &text);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_known(struct table *table, const json_t *window)
{
    char shown[32] = "";
    struct text text = TEXT_OVER(shown);
    acknowledgements_append_count(window, &text);
    table_add(table, shown,
              json_array_size(json_object_get(window, "unacknowledged")) > 0 ? COLOUR_WARNING
                                                                             : COLOUR_PLAIN);
}

static void add_window(struct table *table, const json_t *window, struct walltime now)
{
    bool cancelled = answer_true(window, "cancelled");
    table_add(table, answer_text(window, "id"), COLOUR_PLAIN);
    table_add(table, answer_text(window, "server"), COLOUR_PLAIN);
    table_add(table, answer_text(window, "kind"), COLOUR_PLAIN);
    table_add(table, cancelled ? "cancelled" : answer_text(window, "state"),
              cancelled ? COLOUR_PLAIN : state_colour(window));
    add_clock(table, window, "begin", now);
    if (cancelled) {
        table_add(table, "", COLOUR_PLAIN);
    } else {
        add_clock(table, window, "end", now);
    }
    add_countdown(table, window, now);
    add_known(table, window);
    table_add(table, answer_text(window, "origin"), COLOUR_PLAIN);
    table_add(table, answer_text(window, "by"), COLOUR_PLAIN);
    table_add(table, answer_text(window, "reason"), COLOUR_PLAIN);
}

// Whether the window matters now or soon.
static bool is_near(const json_t *window, struct walltime now)
{
    struct walltime begin;
    if (answer_true(window, "cancelled") || window_in_state(window, "over")) {
        return false;
    }
    return !window_in_state(window, "announced") || !answer_time(window, "begin", &begin) ||
           walltime_since(begin, now).ns <= LISTED_AHEAD.ns;
}

// Times are all written alike, so that their texts have their order.
static int compare_begins(const void *left, const void *right)
{
    const json_t *const *a = left;
    const json_t *const *b = right;
    int order = strcmp(answer_text(*a, "begin"), answer_text(*b, "begin"));
    return order != 0 ? order : strcmp(answer_text(*a, "id"), answer_text(*b, "id"));
}

static void print_table(const json_t *const *windows, size_t count, struct walltime now,
                        const struct terminal *terminal)
{
    struct table *table = table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0], terminal);
    for (size_t i = 0; i < count; i++) {
        add_window(table, windows[i], now);
    }
    table_print(table, stdout);
    table_destroy(table);
}

void windows_print(const json_t *windows, bool all, struct walltime now,
                   const struct terminal *terminal)
{
    size_t known = json_array_size(windows);
    size_t count = 0;
    const json_t **shown = memory_checked(calloc(known + 1, sizeof(const json_t *)));
    for (size_t i = 0; i < known; i++) {
        const json_t *window = json_array_get(windows, i);
        if (all || is_near(window, now)) {
            shown[count++] = window;
        }
    }
    qsort(shown, count, sizeof *shown, compare_begins);
    if (count > 0) {
        print_table(shown, count, now, terminal);
    } else {
        puts(known > 0 ? "No maintenance now or within 7 days." : "No maintenance windows.");
    }
    if (count < known) {
        printf("%zu more: --all\n", known - count);
    }
    free(shown);
}

// "14:30:00 (in 30 m)", of a member that is a time.
static void append_time(const json_t *window, const char *member, struct walltime now,
                        struct text *out)
{
    struct walltime at;
    if (!answer_time(window, member, &at)) {
        text_append(out, "an unknown time");
        return;
    }
    format_clock(at, now, out);
    format_zone(at, out);
    text_append(out, " (");
    format_distance(at, now, out);
    text_append(out, ")");
}

void window_append_span(const json_t *window, struct text *out)
{
    struct walltime begin, end;
    if (answer_time(window, "begin", &begin) && answer_time(window, "end", &end)) {
        format_date(begin, out);
        text_append(out, " to ");
        format_clock(end, begin, out);
    }
}

// ---- one window in a sentence ----

static void append_id(struct text *line, const json_t *window)
{
    text_append(line, ", window ");
    format_text(answer_text(window, "id"), line);
}

static void append_until(struct text *line, const json_t *window, struct walltime now)
{
    text_append(line, " until ");
    append_time(window, "end", now, line);
    append_id(line, window);
}

static void append_server(struct text *line, const json_t *window)
{
    format_text(answer_text(window, "server"), line);
}

void window_describe_begun(const json_t *window, struct walltime now, struct text *line)
{
    append_server(line, window);
    if (window_in_state(window, "announced")) {
        text_append(line, " will be in maintenance from ");
        append_time(window, "begin", now, line);
    } else {
        text_append(line, " is in maintenance");
    }
    append_until(line, window, now);
}

void window_describe_overlapped(const json_t *window, struct walltime now, struct text *line)
{
    text_append(line, "It was in maintenance already");
    append_until(line, window, now);
    text_append(line,
                ", which stays: mailflowctl maintenance extend makes it longer, end ends it.");
}

void window_describe_extended(const json_t *window, struct walltime now, struct text *line)
{
    append_server(line, window);
    text_append(line, window_in_state(window, "announced") ? " will be in maintenance"
                                                           : " stays in maintenance");
    append_until(line, window, now);
}

void window_describe_again(const json_t *window, struct walltime now, struct text *line)
{
    append_server(line, window);
    text_append(line, " is in maintenance again");
    append_until(line, window, now);
}

void window_describe_over(const json_t *window, struct walltime now, struct text *line)
{
    (void)now;
    if (answer_true(window, "cancelled")) {
        text_append(line, "maintenance of ");
        append_server(line, window);
        text_append(line, " is cancelled");
    } else {
        append_server(line, window);
        text_append(line, " is out of maintenance");
    }
    append_id(line, window);
}

void window_print(const json_t *window, struct walltime now,
                  void (*describe)(const json_t *window, struct walltime now, struct text *line))
{
    char line[512];
    struct text text = TEXT_OVER(line);
    describe(window, now, &text);
    puts(line);
}
