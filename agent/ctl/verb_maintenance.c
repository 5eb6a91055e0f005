#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/acknowledgements.h"
#include "base/answer.h"
#include "ctl/asker.h"
#include "ctl/peers.h"
#include "ctl/report.h"
#include "ctl/verb.h"
#include "ctl/windows.h"

static void set_member(json_t *request, const char *name, json_t *value)
{
    json_object_set_new(request, name, memory_checked(value));
}

static json_t *make_request(const struct command *command)
{
    char begin[40];
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
    asker_write(request);
    return request;
}

// Two windows of a server overlap for good reason or because somebody did not know of the other.
static void print_overlapped(const struct context *context, const json_t *begun)
{
    json_t *answer = NULL;
    struct error unused;
    struct walltime now = clock_now().wall;
    client_ask(context->client, "GET", "/maintenance", NULL, &answer, &unused);
    const json_t *windows = json_object_get(answer, "maintenance");
    for (size_t i = 0; i < json_array_size(windows); i++) {
        const json_t *window = json_array_get(windows, i);
        if (window_in_state(window, "active") &&
            strcmp(answer_text(window, "server"), answer_text(begun, "server")) == 0 &&
            strcmp(answer_text(window, "id"), answer_text(begun, "id")) != 0) {
            window_print(window, now, window_describe_overlapped);
        }
    }
    json_decref(answer);
}

static int show_begun(const struct context *context, json_t *window, struct instant asked)
{
    bool waits = acknowledgements_wanted(context->command);
    int code = EXIT_DONE;
    json_t *windows = memory_checked(json_pack("[O]", window));
    if (!context->command->json) {
        window_print(window, clock_now().wall, window_describe_begun);
        print_overlapped(context, window);
    }
    if (waits) {
        code = acknowledgements_await(context, windows, asked);
    } else if (!context->command->json) {
        acknowledgements_print_hint(windows);
    }
    if (context->command->json) {
        report_json(context, json_array_get(windows, 0));
    }
    json_decref(windows);
    return code;
}

int verb_maintenance_begin(struct context *context)
{
    const struct command *command = context->command;
    const char *server = command->word_count > 0 ? command->words[0] : NULL;
    struct instant asked = clock_now().instant;
    int code = EXIT_DONE;
    json_t *request = make_request(command);
    json_t *window = report_ask(context, "POST", "/maintenance", request, server, &code);
    json_decref(request);
    if (window != NULL) {
        code = show_begun(context, window, asked);
    }
    json_decref(window);
    return code;
}

static void drop_others(json_t *windows, const char *server)
{
    for (size_t i = json_array_size(windows); i-- > 0;) {
        if (strcmp(answer_text(json_array_get(windows, i), "server"), server) != 0) {
            json_array_remove(windows, i);
        }
    }
}

static int show_list(const struct context *context, json_t *answer, const json_t *windows)
{
    const struct command *command = context->command;
    const char *server = command->word_count > 0 ? command->words[0] : NULL;
    struct error error;
    if (server != NULL) {
        drop_others(json_object_get(answer, "maintenance"), server);
    }
    // Of a name misspelt the list would be as empty as of a server without maintenance.
    if (server != NULL && json_array_size(windows) == 0 &&
        !peers_ask_known(context->client, server)) {
        error_set(&error, "no server '%s' is in this mesh, and no window is of one", server);
        peers_ask_and_suggest(context->client, server, &error);
        return report_failure(context, EXIT_REFUSED, error.message);
    }
    if (command->json) {
        report_json(context, answer);
    } else {
        windows_print(windows, command->all, clock_now().wall, &context->terminal);
    }
    return EXIT_DONE;
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
    } else {
        code = show_list(context, answer, windows);
    }
    json_decref(answer);
    return code;
}
