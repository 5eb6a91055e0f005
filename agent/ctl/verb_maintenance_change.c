#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/acknowledgements.h"
#include "base/answer.h"
#include "ctl/asker.h"
#include "ctl/format.h"
#include "ctl/peers.h"
#include "ctl/report.h"
#include "ctl/verb.h"
#include "ctl/window_pick.h"
#include "ctl/windows.h"

// Extending, ending and cancelling: one request for each window meant.
struct change {
    const char *method;
    bool takes_length; // --for and --force go into the request
    unsigned unnamed;  // the states meant where nothing is named, when not those by server
    struct window_choice choice;
    void (*describe)(const json_t *window, struct walltime now, struct text *line);
};

static json_t *make_request(const struct command *command, const struct change *change)
{
    json_t *request = memory_checked(json_object());
    asker_write(request);
    if (change->takes_length) {
        json_object_set_new(request, "extend_seconds",
                            memory_checked(json_real(span_seconds(command->duration))));
    }
    if (command->force) {
        json_object_set_new(request, "force", json_true());
    }
    return request;
}

// The changed windows; what could not be changed is reported and leaves its exit code.
static json_t *change_windows(const struct context *context, const struct change *change,
                              const json_t *picked, int *code)
{
    json_t *changed = memory_checked(json_array());
    json_t *request = make_request(context->command, change);
    for (size_t i = 0; i < json_array_size(picked); i++) {
        char target[256];
        struct text text = TEXT_OVER(target);
        text_append(&text, "/maintenance/");
        text_append_encoded(&text, answer_text(json_array_get(picked, i), "id"));
        json_t *window = report_ask(context, change->method, target, request, NULL, code);
        if (window != NULL) {
            json_array_append_new(changed, window);
        }
    }
    json_decref(request);
    return changed;
}

static void print_json(const struct context *context, json_t *changed)
{
    json_t *list = memory_checked(json_pack("{s:O}", "maintenance", changed));
    report_json(context, list);
    json_decref(list);
}

static int show_changed(const struct context *context, const struct change *change, json_t *changed,
                        struct instant asked)
{
    int code = EXIT_DONE;
    for (size_t i = 0; !context->command->json && i < json_array_size(changed); i++) {
        window_print(json_array_get(changed, i), clock_now().wall, change->describe);
    }
    if (acknowledgements_wanted(context->command)) {
        code = acknowledgements_await(context, changed, asked);
    } else if (!context->command->json) {
        acknowledgements_print_hint(changed);
    }
    if (context->command->json) {
        print_json(context, changed);
    }
    return code;
}

static int change_picked(const struct context *context, const struct change *change,
                         const json_t *picked)
{
    int code = EXIT_DONE;
    struct instant asked = clock_now().instant;
    json_t *changed = change_windows(context, change, picked, &code);
    if (json_array_size(changed) > 0) {
        int shown = show_changed(context, change, changed, asked);
        code = code == EXIT_DONE ? shown : code;
    }
    json_decref(changed);
    return code;
}

static int refuse_unknown(const struct context *context, const char *name)
{
    char shown[128];
    struct text text = TEXT_OVER(shown);
    struct error error;
    format_text(name, &text);
    if (peers_ask_known(context->client, name)) {
        error_set(&error, "'%s' has no maintenance window", shown);
    } else {
        error_set(&error, "no window has the id '%s', and no server that name", shown);
        peers_ask_and_suggest(context->client, name, &error);
    }
    return report_failure(context, EXIT_REFUSED, error.message);
}

// That a window is extended which has ended already, and which.
static void print_last(const struct context *context, const json_t *window, struct walltime now)
{
    char line[256];
    struct text text = TEXT_OVER(line);
    struct walltime end;
    if (context->command->json || !answer_time(window, "end", &end)) {
        return;
    }
    text_append(&text, "extending window ");
    format_text(answer_text(window, "id"), &text);
    text_append(&text, " of ");
    format_text(answer_text(window, "server"), &text);
    text_append(&text, ", which ended at ");
    format_clock(end, now, &text);
    format_zone(end, &text);
    text_append(&text, " (");
    format_distance(end, now, &text);
    text_append(&text, ")");
    puts(line);
}

static int change_found(const struct context *context, const struct change *change,
                        const json_t *picked, struct walltime now)
{
    struct change what = *change;
    const json_t *window = json_array_get(picked, 0);
    if (what.takes_length && window_pick_has_ended(window)) {
        print_last(context, window, now);
        what.describe = window_describe_again;
    }
    return change_picked(context, &what, picked);
}

static json_t *pick(const struct context *context, const struct change *change,
                    const json_t *windows, const char *name, struct walltime now,
                    struct error *error)
{
    bool named = context->command->word_count > 0;
    struct window_choice choice = change->choice;
    if (!named && change->unnamed != 0) {
        choice.by_server = change->unnamed;
    }
    json_t *picked = window_pick(windows, name, choice, now, error);
    if (picked == NULL && !named && change->unnamed != 0) {
        window_pick_refuse_unnamed(windows, change->choice.by_server, error);
    }
    return picked;
}

static int change_named(const struct context *context, const struct change *change,
                        const char *name)
{
    int code = EXIT_DONE;
    struct walltime now = clock_now().wall;
    struct error error = {0};
    json_t *answer = report_ask(context, "GET", "/maintenance", NULL, NULL, &code);
    if (answer == NULL) {
        return code;
    }
    const json_t *windows = answer_list(answer, "maintenance", &error);
    json_t *picked = windows == NULL ? NULL : pick(context, change, windows, name, now, &error);
    if (picked != NULL) {
        code = change_found(context, change, picked, now);
    } else if (error.message[0] == '\0') {
        code = refuse_unknown(context, name);
    } else {
        code = report_failure(context, EXIT_REFUSED, error.message);
    }
    json_decref(picked);
    json_decref(answer);
    return code;
}

// Where nothing is named, of this server.
static int change_windows_meant(const struct context *context, const struct change *change)
{
    int code = EXIT_DONE;
    if (context->command->word_count > 0) {
        return change_named(context, change, context->command->words[0]);
    }
    json_t *version = report_ask(context, "GET", "/version", NULL, NULL, &code);
    if (version != NULL) {
        code = change_named(context, change, answer_text(version, "server"));
    }
    json_decref(version);
    return code;
}

int verb_maintenance_extend(struct context *context)
{
    struct change change = {
        .method = "PATCH",
        .takes_length = true,
        .choice = {.by_id = WINDOW_PICK_ALL, .by_server = WINDOW_PICK_ACTIVE, .or_last = true},
        .describe = window_describe_extended,
    };
    return change_windows_meant(context, &change);
}

int verb_maintenance_end(struct context *context)
{
    struct change change = {
        .method = "DELETE",
        .choice = {.by_id = WINDOW_PICK_ACTIVE | WINDOW_PICK_PAST, .by_server = WINDOW_PICK_ACTIVE},
        .describe = window_describe_over,
    };
    return change_windows_meant(context, &change);
}

int verb_maintenance_cancel(struct context *context)
{
    struct change change = {
        .method = "DELETE",
        .unnamed = WINDOW_PICK_ANNOUNCED, // work under way is cut short by name only
        .choice = {.by_id = WINDOW_PICK_ALL,
                   .by_server = WINDOW_PICK_ACTIVE | WINDOW_PICK_ANNOUNCED},
        .describe = window_describe_over,
    };
    return change_windows_meant(context, &change);
}
