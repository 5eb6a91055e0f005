#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/format.h"
#include "ctl/answer.h"
#include "ctl/peers.h"
#include "ctl/report.h"
#include "ctl/verb.h"
#include "ctl/window_pick.h"
#include "ctl/windows.h"

// ---- what is said about a window ----

static void append_id(struct text *line, const json_t *window)
{
    text_append(line, ", window ");
    format_text(answer_text(window, "id"), line);
}

static void append_until(struct text *line, const json_t *window, struct walltime now)
{
    text_append(line, " until ");
    window_append_time(window, "end", now, line);
    append_id(line, window);
}

static void append_server(struct text *line, const json_t *window)
{
    format_text(answer_text(window, "server"), line);
}

static void describe_begun(const json_t *window, struct walltime now, struct text *line)
{
    append_server(line, window);
    if (window_in_state(window, "announced")) {
        text_append(line, " will be in maintenance from ");
        window_append_time(window, "begin", now, line);
    } else {
        text_append(line, " is in maintenance");
    }
    append_until(line, window, now);
}

static void describe_extended(const json_t *window, struct walltime now, struct text *line)
{
    append_server(line, window);
    text_append(line, window_in_state(window, "announced") ? " will be in maintenance"
                                                           : " stays in maintenance");
    append_until(line, window, now);
}

static void describe_over(const json_t *window, struct walltime now, struct text *line)
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

static void print_window(const json_t *window,
                         void (*describe)(const json_t *window, struct walltime now,
                                          struct text *line))
{
    char line[512];
    struct text text = TEXT_OVER(line);
    describe(window, clock_now().wall, &text);
    puts(line);
}

// ---- begin ----

// Who asks: under sudo the one behind it.
static void append_asker(struct text *out)
{
    char host[256] = "";
    const char *behind = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *user = getpwuid(getuid());
    if (behind != NULL && behind[0] != '\0') {
        text_append(out, behind);
    } else if (user != NULL) {
        text_append(out, user->pw_name);
    } else {
        text_format(out, "uid %u", (unsigned)getuid());
    }
    if (gethostname(host, sizeof host - 1) == 0) {
        text_format(out, "@%s", host);
    }
}

static void set_member(json_t *request, const char *name, json_t *value)
{
    json_object_set_new(request, name, memory_checked(value));
}

static json_t *make_request(const struct command *command)
{
    char by[80], begin[40];
    struct text by_text = TEXT_OVER(by);
    struct text begin_text = TEXT_OVER(begin);
    json_t *request = memory_checked(json_object());
    if (command->word_count > 0) {
        set_member(request, "server", client_json_text(command->words[0]));
    }
    if (command->kind != NULL) {
        set_member(request, "kind", json_string(command->kind));
    }
    if (command_given(command, OPTION_AT)) {
        walltime_append_rfc3339(command->at, &begin_text);
        set_member(request, "begin", json_string(begin));
    }
    if (command_given(command, OPTION_FOR)) {
        set_member(request, "duration_seconds", json_real(span_seconds(command->duration)));
    }
    if (command->reason != NULL) {
        set_member(request, "reason", client_json_text(command->reason));
    }
    if (command->force) {
        set_member(request, "force", json_true());
    }
    append_asker(&by_text);
    set_member(request, "by", client_json_text(by));
    return request;
}

int verb_maintenance_begin(struct context *context)
{
    const struct command *command = context->command;
    const char *server = command->word_count > 0 ? command->words[0] : NULL;
    int code = EXIT_DONE;
    json_t *request = make_request(command);
    json_t *window = report_ask(context, "POST", "/maintenance", request, server, &code);
    json_decref(request);
    if (window != NULL && command->json) {
        report_json(context, window);
    } else if (window != NULL) {
        print_window(window, describe_begun);
    }
    json_decref(window);
    return code;
}

// ---- extend, end, cancel: one request for each window meant ----

struct change {
    const char *method;
    json_t *request; // NULL for none
    struct window_choice choice;
    void (*describe)(const json_t *window, struct walltime now, struct text *line);
};

// The changed windows; what could not be changed is reported and leaves its exit code.
static json_t *change_windows(const struct context *context, const struct change *change,
                              const json_t *picked, int *code)
{
    json_t *changed = memory_checked(json_array());
    for (size_t i = 0; i < json_array_size(picked); i++) {
        char target[256];
        struct text text = TEXT_OVER(target);
        text_append(&text, "/maintenance/");
        client_append_encoded(&text, answer_text(json_array_get(picked, i), "id"));
        json_t *window = report_ask(context, change->method, target, change->request, NULL, code);
        if (window != NULL) {
            json_array_append_new(changed, window);
        }
    }
    return changed;
}

static void print_changed(const struct context *context, const struct change *change,
                          json_t *changed)
{
    if (context->command->json) {
        json_t *list = memory_checked(json_pack("{s:O}", "maintenance", changed));
        report_json(context, list);
        json_decref(list);
        return;
    }
    for (size_t i = 0; i < json_array_size(changed); i++) {
        print_window(json_array_get(changed, i), change->describe);
    }
}

static int change_picked(const struct context *context, const struct change *change,
                         const json_t *picked)
{
    int code = EXIT_DONE;
    json_t *changed = change_windows(context, change, picked, &code);
    if (json_array_size(changed) > 0) {
        print_changed(context, change, changed);
    }
    json_decref(changed);
    return code;
}

static int change_named(const struct context *context, const struct change *change)
{
    const char *name = context->command->words[0];
    int code = EXIT_DONE;
    struct error error;
    json_t *answer = report_ask(context, "GET", "/maintenance", NULL, NULL, &code);
    if (answer == NULL) {
        return code;
    }
    const json_t *windows = answer_list(answer, "maintenance", &error);
    json_t *picked = windows == NULL ? NULL : window_pick(windows, name, change->choice, &error);
    if (picked != NULL) {
        code = change_picked(context, change, picked);
    } else {
        peers_ask_and_suggest(context->client, name, &error);
        code = report_failure(context, EXIT_REFUSED, error.message);
    }
    json_decref(picked);
    json_decref(answer);
    return code;
}

int verb_maintenance_extend(struct context *context)
{
    const struct command *command = context->command;
    json_t *request = memory_checked(json_object());
    set_member(request, "extend_seconds", json_real(span_seconds(command->duration)));
    if (command->force) {
        set_member(request, "force", json_true());
    }
    struct change change = {
        .method = "PATCH",
        .request = request,
        .choice = {.by_id = WINDOW_PICK_ALL, .by_server = WINDOW_PICK_ACTIVE},
        .describe = describe_extended,
    };
    int code = change_named(context, &change);
    json_decref(request);
    return code;
}

int verb_maintenance_end(struct context *context)
{
    struct change change = {
        .method = "DELETE",
        .choice = {.by_id = WINDOW_PICK_ACTIVE | WINDOW_PICK_PAST, .by_server = WINDOW_PICK_ACTIVE},
        .describe = describe_over,
    };
    return change_named(context, &change);
}

int verb_maintenance_cancel(struct context *context)
{
    struct change change = {
        .method = "DELETE",
        .choice = {.by_id = WINDOW_PICK_ALL,
                   .by_server = WINDOW_PICK_ACTIVE | WINDOW_PICK_ANNOUNCED},
        .describe = describe_over,
    };
    return change_named(context, &change);
}

int verb_maintenance_list(struct context *context)
{
    int code = EXIT_DONE;
    struct error error;
    json_t *answer = report_ask(context, "GET", "/maintenance", NULL, NULL, &code);
    if (answer == NULL) {
        return code;
    }
    const json_t *windows = answer_list(answer, "maintenance", &error);
    if (windows == NULL) {
        code = report_failure(context, EXIT_REFUSED, error.message);
    } else if (context->command->json) {
        report_json(context, answer);
    } else if (json_array_size(windows) == 0) {
        puts("No maintenance windows.");
    } else {
        windows_print(windows, clock_now().wall, &context->terminal);
    }
    json_decref(answer);
    return code;
}
