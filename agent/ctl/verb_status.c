#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/answer.h"
#include "ctl/format.h"
#include "ctl/incident_words.h"
#include "ctl/paragraph.h"
#include "ctl/report.h"
#include "ctl/status_certificates.h"
#include "ctl/table.h"
#include "ctl/verb.h"
#include "ctl/windows.h"

static const struct table_column PATH_COLUMNS[] = {
    {.title = "PATH", .cut = 16},
    {.title = "STATE"},
    {.title = "LAST", .right = true},
    {.title = "MEDIAN", .right = true, .sequence = 1},
    {.title = "IN FLIGHT", .right = true, .sequence = 3},
    {.title = "OLDEST", .right = true, .sequence = 2},
    {.title = "LAST ARRIVAL", .right = true, .sequence = 4},
};

static const struct table_column INCIDENT_COLUMNS[] = {
    {.title = "INCIDENT"},           {.title = "SEVERITY"},
    {.title = "SUBJECT", .cut = 16}, {.title = "SINCE", .sequence = 2},
    {.title = "FOR", .right = true}, {.title = "NOTIFIED", .sequence = 1},
    {.title = "CAUSE", .cut = 24},
};

static const struct table_column MAILBOX_COLUMNS[] = {
    {.title = "UNREADABLE MAILBOX", .cut = 8},
    {.title = "LAST READ", .right = true, .sequence = 1},
    {.title = "CAUSE", .cut = 16},
};

#define COLUMN_COUNT(columns) (sizeof(columns) / sizeof(columns)[0])

// What every part of the answer is shown with.
struct view {
    const struct context *context;
    struct walltime now; // the agent's
};

// ---- paths ----

static enum colour path_colour(const char *state)
{
    static const struct {
        const char *state;
        enum colour colour;
    } COLOURS_OF[] = {
        {"ok", COLOUR_GOOD},         {"slow", COLOUR_WARNING},     {"silent", COLOUR_BAD},
        {"refused", COLOUR_BAD},     {"maintenance", COLOUR_NOTE}, {"recovering", COLOUR_NOTE},
        {"unknown", COLOUR_WARNING},
    };
    for (size_t i = 0; i < COLUMN_COUNT(COLOURS_OF); i++) {
        if (strcmp(state, COLOURS_OF[i].state) == 0) {
            return COLOURS_OF[i].colour;
        }
    }
    return COLOUR_PLAIN;
}

static void add_state(struct table *table, const json_t *path)
{
    char shown[128];
    struct text text = TEXT_OVER(shown);
    text_append(&text, answer_text(path, "state"));
    if (answer_true(path, "thinned")) {
        text_append(&text, ", thinned");
    }
    table_add(table, shown, path_colour(answer_text(path, "state")));
}

static void add_latency(struct table *table, const json_t *path, const char *member)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    struct span latency;
    if (answer_span(path, member, &latency)) {
        format_latency(latency, &text);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_in_flight(struct table *table, const json_t *path)
{
    char shown[32];
    struct text text = TEXT_OVER(shown);
    int64_t count;
    bool inbound = strcmp(answer_text(path, "direction"), "inbound") == 0;
    if (!inbound && answer_integer(path, "in_flight", &count)) {
        text_format(&text, "%lld", (long long)count);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_age(struct table *table, const json_t *object, const char *member,
                    struct walltime now, const char *suffix)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    struct walltime at;
    if (answer_time(object, member, &at)) {
        format_duration(walltime_since(now, at), &text);
        text_append(&text, suffix);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void print_paths(const struct view *view, const json_t *paths)
{
    if (json_array_size(paths) == 0) {
        paragraph_say(
            "No peers yet: `mailflowctl invite` prints the line that takes the next server "
            "into the mesh.");
        return;
    }
    struct table *table =
        table_create(PATH_COLUMNS, COLUMN_COUNT(PATH_COLUMNS), &view->context->terminal);
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const json_t *path = json_array_get(paths, i);
        table_add(table, answer_text(path, "path"), COLOUR_PLAIN);
        add_state(table, path);
        add_latency(table, path, "last_latency_seconds");
        add_latency(table, path, "median_latency_seconds");
        add_in_flight(table, path);
        add_age(table, path, "oldest_in_flight_sent", view->now, "");
        add_age(table, path, "last_arrival", view->now, " ago");
    }
    table_print(table, stdout);
    table_destroy(table);
}

// "mx02: its agent answers 403: ...". Without it nothing is known of what became of our probes.
static void print_agent_troubles(const json_t *paths)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const json_t *path = json_array_get(paths, i);
        char line[1024];
        struct text text = TEXT_OVER(line);
        if (answer_text(path, "agent_trouble")[0] != '\0') {
            format_text(answer_text(path, "peer"), &text);
            text_append(&text, ": ");
            format_text(answer_text(path, "agent_trouble"), &text);
            puts(line);
        }
    }
}

// ---- incidents ----

static void add_notified(struct table *table, const json_t *incident)
{
    char shown[128];
    struct text text = TEXT_OVER(shown);
    const char *window = answer_text(incident, "suppressed_by");
    if (answer_true(incident, "notified")) {
        text_append(&text, "yes");
    } else if (window[0] != '\0') {
        text_append(&text, "suppressed by ");
        text_append(&text, window);
    } else {
        text_append(&text, "no");
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_since(struct table *table, const json_t *incident, struct walltime now)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    struct walltime began;
    if (answer_time(incident, "began", &began)) {
        format_clock(began, now, &text);
    }
    table_add(table, shown, COLOUR_PLAIN);
}

static void add_cause(struct table *table, const json_t *incident, const json_t *incidents)
{
    char shown[TABLE_CELL_SIZE];
    struct text text = TEXT_OVER(shown);
    incident_words(incident, incidents, &text);
    table_add(table, shown, COLOUR_PLAIN);
}

static void print_incidents(const struct view *view, const json_t *incidents)
{
    struct table *table =
        table_create(INCIDENT_COLUMNS, COLUMN_COUNT(INCIDENT_COLUMNS), &view->context->terminal);
    for (size_t i = 0; i < json_array_size(incidents); i++) {
        const json_t *incident = json_array_get(incidents, i);
        const char *severity = answer_text(incident, "severity");
        table_add(table, answer_text(incident, "kind"), COLOUR_PLAIN);
        table_add(table, severity, strcmp(severity, "critical") == 0 ? COLOUR_BAD : COLOUR_WARNING);
        table_add(table, answer_text(incident, "subject"), COLOUR_PLAIN);
        add_since(table, incident, view->now);
        add_age(table, incident, "began", view->now, "");
        add_notified(table, incident);
        add_cause(table, incident, incidents);
    }
    table_print(table, stdout);
    table_destroy(table);
}

// ---- mailboxes that cannot be read ----

static void print_mailboxes(const struct view *view, const json_t *mailboxes)
{
    struct table *table =
        table_create(MAILBOX_COLUMNS, COLUMN_COUNT(MAILBOX_COLUMNS), &view->context->terminal);
    bool any = false;
    for (size_t i = 0; i < json_array_size(mailboxes); i++) {
        const json_t *mailbox = json_array_get(mailboxes, i);
        if (!answer_true(mailbox, "readable")) {
            table_add(table, answer_text(mailbox, "name"), COLOUR_BAD);
            add_age(table, mailbox, "last_collect", view->now, " ago");
            table_add(table, answer_text(mailbox, "cause"), COLOUR_PLAIN);
            any = true;
        }
    }
    if (any) {
        fputc('\n', stdout);
        table_print(table, stdout);
    }
    table_destroy(table);
}

// ---- all of it ----

static void print_server(const struct view *view, const json_t *status)
{
    char line[512];
    struct text text = TEXT_OVER(line);
    struct walltime started;
    bool ready = answer_true(status, "ready");
    const char *why = answer_text(status, "not_ready_because");
    format_text(answer_text(status, "server"), &text);
    text_append(&text, ", mailflow ");
    format_text(answer_text(status, "version"), &text);
    if (answer_time(status, "started", &started)) {
        text_append(&text, ", up since ");
        format_date(started, &text);
        format_zone(started, &text);
        text_append(&text, " (");
        format_duration(walltime_since(view->now, started), &text);
        text_append(&text, ")");
    }
    printf("%s, ", line);
    terminal_paint(&view->context->terminal, ready ? COLOUR_GOOD : COLOUR_WARNING, stdout);
    text = TEXT_OVER(line);
    text_append(&text, ready ? "ready" : "not ready");
    if (!ready && why[0] != '\0') {
        text_append(&text, ": ");
        format_text(why, &text);
    }
    fputs(line, stdout);
    terminal_paint(&view->context->terminal, COLOUR_PLAIN, stdout);
    fputs("\n\n", stdout);
}

static void print_status(const struct view *view, const json_t *status, const json_t *paths,
                         const json_t *incidents, const json_t *windows)
{
    print_server(view, status);
    print_paths(view, paths);
    print_agent_troubles(paths);
    fputc('\n', stdout);
    if (json_array_size(incidents) > 0) {
        print_incidents(view, incidents);
    } else {
        puts("No open incidents.");
    }
    if (json_array_size(windows) > 0) {
        fputc('\n', stdout);
        windows_print(windows, view->context->command->all, view->now, &view->context->terminal);
    }
}

int verb_status(struct context *context)
{
    int code = EXIT_DONE;
    json_t *status = report_ask(context, "GET", "/status", NULL, NULL, &code);
    if (status == NULL) {
        return code;
    }
    struct error error;
    struct view view = {.context = context, .now = clock_now().wall};
    answer_time(status, "now", &view.now);
    const json_t *paths = answer_list(status, "paths", &error);
    const json_t *incidents = paths == NULL ? NULL : answer_list(status, "incidents", &error);
    const json_t *windows = incidents == NULL ? NULL : answer_list(status, "maintenance", &error);
    const json_t *mailboxes = windows == NULL ? NULL : answer_list(status, "mailboxes", &error);
    if (mailboxes == NULL) {
        code = report_failure(context, EXIT_REFUSED, error.message);
    } else if (context->command->json) {
        report_json(context, status);
    } else {
        print_status(&view, status, paths, incidents, windows);
        print_mailboxes(&view, mailboxes);
        status_certificates(json_object_get(status, "certificates"), view.now, &context->terminal);
    }
    json_decref(status);
    return code;
}
