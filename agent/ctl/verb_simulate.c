#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/answer.h"
#include "ctl/format.h"
#include "ctl/report.h"
#include "ctl/table.h"
#include "ctl/verb.h"
#include "replay/replay.h"

static const struct table_column INCIDENT_COLUMNS[] = {
    {.title = "INCIDENT"}, {.title = "SUBJECT", .cut = 12}, {.title = "SINCE"},
    {.title = "RECORDED"}, {.title = "SIMULATED"},
};

static const struct table_column COUNT_COLUMNS[] = {
    {.title = ""},
    {.title = "RECORDED", .right = true},
    {.title = "SIMULATED", .right = true},
};

static const struct table_column CHANGE_COLUMNS[] = {
    {.title = "PROBE"}, {.title = "PEER", .cut = 8}, {.title = "DIRECTION"},
    {.title = "SENT"},  {.title = "RECORDED"},       {.title = "SIMULATED"},
};

enum { CHANGES_SHOWN = 5 };

#define COLUMN_COUNT(columns) (sizeof(columns) / sizeof(columns)[0])

// ---- what is asked ----

static bool find_ledger(const struct command *command, const struct settings *settings, char *out,
                        size_t size, struct error *error)
{
    struct text text = text_over(out, size);
    if (command->ledger != NULL) {
        text_append(&text, command->ledger);
    } else {
        text_format(&text, "%s/ledger.db", settings->state_dir);
    }
    return !text.truncated || error_set(error, "the ledger's path is too long");
}

static struct walltime since_of(const struct command *command)
{
    struct span back;
    struct walltime at = WALLTIME_NONE;
    if (command_given(command, OPTION_SINCE) && span_parse(command->since, &back)) {
        return walltime_subtract(clock_now().wall, back);
    }
    if (command_given(command, OPTION_SINCE)) {
        walltime_parse_rfc3339(command->since, &at);
    }
    return at;
}

static struct settings *load_settings(const struct context *context, int *code)
{
    struct config_problems problems = {0};
    struct settings *settings = settings_load_without_secrets(context->command->config, &problems);
    if (settings == NULL) {
        *code = report_configuration(
            context, &problems,
            "nothing is simulated without a configuration in order; --config names another file");
    }
    return settings;
}

// A window of a server that is not in the mesh would change nothing, and nobody would know why.
static bool check_windows(const struct command *command, const struct settings *settings,
                          struct error *error)
{
    for (size_t i = 0; i < command->window_count; i++) {
        const char *server = command->windows[i].server;
        if (strcmp(server, settings->server) != 0 && settings_find_peer(settings, server) < 0) {
            return error_set(error, "--window: no server '%s' in this configuration", server);
        }
    }
    return true;
}

static json_t *run_replay(const struct command *command, const struct settings *settings,
                          struct error *error)
{
    char ledger[4096];
    struct replay_window windows[COMMAND_WINDOWS_MAXIMUM];
    for (size_t i = 0; i < command->window_count; i++) {
        const struct command_window *window = &command->windows[i];
        windows[i] = (struct replay_window){window->server, window->begin, window->end};
    }
    struct replay_request request = {
        .ledger = ledger,
        .settings = settings,
        .recorded_windows = !command->no_windows,
        .windows = windows,
        .window_count = command->window_count,
        .since = since_of(command),
    };
    return find_ledger(command, settings, ledger, sizeof ledger, error) &&
                   check_windows(command, settings, error)
               ? replay_run(&request, error)
               : NULL;
}

// ---- what is shown ----

static void append_time(const json_t *object, const char *member, struct text *out)
{
    struct walltime at;
    if (answer_time(object, member, &at)) {
        format_date(at, out);
    }
}

static void print_head(const json_t *answer)
{
    char line[256];
    struct text text = TEXT_OVER(line);
    int64_t probes = 0, unknown = 0;
    answer_integer(answer, "probes", &probes);
    answer_integer(answer, "unknown_peers", &unknown);
    size_t windows = json_array_size(json_object_get(answer, "windows"));
    text_format(&text, "%" PRId64 " probes from ", probes);
    append_time(answer, "from", &text);
    text_append(&text, " to ");
    append_time(answer, "until", &text);
    text_format(&text, ", %zu maintenance window%s", windows, windows == 1 ? "" : "s");
    puts(line);
    if (unknown > 0) {
        printf("%" PRId64 " more are of peers that this configuration does not have.\n", unknown);
    }
    fputc('\n', stdout);
}

// "notified 12:53:00, lasted 14 m 47 s"
static void describe_side(const json_t *incident, struct walltime opened, struct text *out)
{
    struct walltime notified, closed, began;
    if (!json_is_object(incident)) {
        text_append(out, "-");
        return;
    }
    const char *window = answer_text(incident, "suppressed_by");
    if (answer_time(incident, "notified", &notified)) {
        text_append(out, "notified ");
        format_clock(notified, opened, out);
    } else if (window[0] != '\0') {
        text_append(out, "suppressed by ");
        format_text(window, out);
    } else {
        text_append(out, "quiet");
    }
    if (answer_time(incident, "opened", &began) && answer_time(incident, "closed", &closed)) {
        text_append(out, ", lasted ");
        format_duration(walltime_since(closed, began), out);
    } else {
        text_append(out, ", open");
    }
}

static enum colour side_colour(const json_t *incident)
{
    bool notified = answer_text(incident, "notified")[0] != '\0';
    bool critical = strcmp(answer_text(incident, "severity"), "critical") == 0;
    return !notified ? COLOUR_PLAIN : critical ? COLOUR_BAD : COLOUR_WARNING;
}

static void add_incident(struct table *table, const json_t *incident)
{
    static const char *const SIDES[] = {"recorded", "simulated"};
    char since[64];
    struct text text = TEXT_OVER(since);
    struct walltime opened = WALLTIME_NONE;
    const json_t *recorded = json_object_get(incident, "recorded");
    const json_t *shown =
        json_is_object(recorded) ? recorded : json_object_get(incident, "simulated");
    answer_time(shown, "opened", &opened);
    format_date(opened, &text);
    table_add(table, answer_text(incident, "kind"), COLOUR_PLAIN);
    table_add(table, answer_text(incident, "subject"), COLOUR_PLAIN);
    table_add(table, since, COLOUR_PLAIN);
    for (int i = 0; i < 2; i++) {
        char cell[160];
        struct text cell_text = TEXT_OVER(cell);
        const json_t *side = json_object_get(incident, SIDES[i]);
        describe_side(side, opened, &cell_text);
        table_add(table, cell, side_colour(side));
    }
}

static void print_incidents(const struct context *context, const json_t *incidents)
{
    if (json_array_size(incidents) == 0) {
        puts("No incident was notified or suppressed, and none would have been.\n");
        return;
    }
    struct table *table =
        table_create(INCIDENT_COLUMNS, COLUMN_COUNT(INCIDENT_COLUMNS), &context->terminal);
    for (size_t i = 0; i < json_array_size(incidents); i++) {
        add_incident(table, json_array_get(incidents, i));
    }
    table_print(table, stdout);
    table_destroy(table);
    fputc('\n', stdout);
}

static void add_count(struct table *table, const char *title, const json_t *recorded,
                      const json_t *simulated, const char *member)
{
    const json_t *const sides[] = {recorded, simulated};
    int64_t counts[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        answer_integer(sides[i], member, &counts[i]);
    }
    table_add(table, title, COLOUR_PLAIN);
    for (int i = 0; i < 2; i++) {
        char cell[32];
        struct text text = TEXT_OVER(cell);
        text_format(&text, "%" PRId64, counts[i]);
        table_add(table, cell, counts[0] != counts[1] ? COLOUR_NOTE : COLOUR_PLAIN);
    }
}

static void add_verdicts(struct table *table, const char *direction, const json_t *recorded,
                         const json_t *simulated)
{
    const char *verdict;
    json_t *count;
    const json_t *counts[] = {
        json_object_get(json_object_get(recorded, "verdicts"), direction),
        json_object_get(json_object_get(simulated, "verdicts"), direction),
    };
    json_object_foreach(json_object_get(json_object_get(recorded, "verdicts"), direction), verdict,
                        count)
    {
        char title[64];
        struct text text = TEXT_OVER(title);
        text_format(&text, "%s %s", direction, verdict);
        add_count(table, title, counts[0], counts[1], verdict);
    }
}

static void print_counts(const struct context *context, const json_t *answer)
{
    const json_t *recorded = json_object_get(answer, "recorded");
    const json_t *simulated = json_object_get(answer, "simulated");
    struct table *table =
        table_create(COUNT_COLUMNS, COLUMN_COUNT(COUNT_COLUMNS), &context->terminal);
    add_count(table, "notified", recorded, simulated, "notified");
    add_count(table, "suppressed", recorded, simulated, "suppressed");
    add_verdicts(table, "outbound", recorded, simulated);
    add_verdicts(table, "inbound", recorded, simulated);
    table_print(table, stdout);
    table_destroy(table);
}

static void add_change(struct table *table, const json_t *change)
{
    static const char *const MEMBERS[] = {"recorded", "simulated"};
    char sent[64] = "";
    struct text text = TEXT_OVER(sent);
    append_time(change, "sent", &text);
    table_add(table, answer_text(change, "id"), COLOUR_PLAIN);
    table_add(table, answer_text(change, "peer"), COLOUR_PLAIN);
    table_add(table, answer_text(change, "direction"), COLOUR_PLAIN);
    table_add(table, sent, COLOUR_PLAIN);
    for (int i = 0; i < 2; i++) {
        table_add(table, answer_text(change, MEMBERS[i]), COLOUR_NOTE);
    }
}

// Thresholds and windows change verdicts where no incident shows it.
static void print_changes(const struct context *context, const json_t *answer)
{
    int64_t changed = 0;
    const json_t *changes = json_object_get(answer, "changes");
    answer_integer(answer, "changed", &changed);
    if (changed == 0) {
        puts("\nNo probe is judged otherwise than was recorded.");
        return;
    }
    printf("\n%" PRId64 " probe%s judged otherwise than was recorded%s:\n", changed,
           changed == 1 ? " is" : "s are", changed > CHANGES_SHOWN ? ", the first of them" : "");
    struct table *table =
        table_create(CHANGE_COLUMNS, COLUMN_COUNT(CHANGE_COLUMNS), &context->terminal);
    for (size_t i = 0; i < json_array_size(changes) && i < CHANGES_SHOWN; i++) {
        add_change(table, json_array_get(changes, i));
    }
    table_print(table, stdout);
    table_destroy(table);
}

int verb_simulate(struct context *context)
{
    struct error error = {0};
    int code = EXIT_DONE;
    struct settings *settings = load_settings(context, &code);
    if (settings == NULL) {
        return code;
    }
    json_t *answer = run_replay(context->command, settings, &error);
    if (answer == NULL) {
        code = report_failure(context, EXIT_REFUSED, error.message);
    } else if (context->command->json) {
        report_json(context, answer);
    } else {
        print_head(answer);
        print_incidents(context, json_object_get(answer, "incidents"));
        print_counts(context, answer);
        print_changes(context, answer);
    }
    json_decref(answer);
    settings_destroy(settings);
    return code;
}
