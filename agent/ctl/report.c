#include "ctl/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl/paragraph.h"
#include "ctl/peers.h"
#include "ctl/plugin.h"
#include "ctl/problems.h"

// The status that the agent would give; a client may tell by it what to do.
static json_t *make_problem(enum exit_code code, const char *message)
{
    static const struct {
        int status;
        const char *title;
    } KINDS[] = {
        [EXIT_REFUSED] = {422, "Unprocessable Content"},
        [EXIT_USAGE] = {400, "Bad Request"},
        [EXIT_UNREACHABLE] = {503, "Service Unavailable"},
    };
    return memory_checked(json_pack("{s:s, s:s, s:i, s:o}", "type", "about:blank", "title",
                                    KINDS[code].title, "status", KINDS[code].status, "detail",
                                    client_json_text(message)));
}

// Takes the problem over.
static void keep_problem(const struct context *context, json_t *problem)
{
    if (context->report->problem == NULL && context->command->json) {
        context->report->problem = json_incref(problem);
    }
    json_decref(problem);
}

// Scripts get one line, whatever its length.
static void print_message(const char *message)
{
    char line[2048];
    struct text text = TEXT_OVER(line);
    unsigned width = isatty(STDERR_FILENO) == 1 ? terminal_width(STDERR_FILENO) : 0;
    text_format(&text, "mailflowctl: %s", message);
    if (width == 0) {
        fprintf(stderr, "%s\n", line);
    } else {
        paragraph_print(line, 0, width, stderr);
    }
}

int report_failure(const struct context *context, enum exit_code code, const char *message)
{
    bool plugin = context->verb != NULL && context->verb->plugin;
    keep_problem(context, make_problem(code, message));
    if (plugin && !context->command->json) {
        plugin_print_line(PLUGIN_UNKNOWN, message, "");
    } else {
        print_message(message);
    }
    return plugin ? (int)PLUGIN_UNKNOWN : (int)code;
}

int report_configuration(const struct context *context, const struct config_problems *problems,
                         const char *message)
{
    json_t *problem = make_problem(EXIT_REFUSED, message);
    json_object_set_new(problem, "problems", problems_to_lines(problems));
    keep_problem(context, problem);
    problems_print(problems, stderr);
    return report_failure(context, EXIT_REFUSED, message);
}

void report_end(const struct context *context)
{
    struct report *report = context->report;
    if (report->problem != NULL && !report->printed) {
        report_json(context, report->problem);
    }
    json_decref(report->problem);
    report->problem = NULL;
}

// jansson passes DEL, and beyond ASCII the C1 control characters too.
static void print_json(const struct context *context, const json_t *json, size_t flags)
{
    bool harmless = context->terminal.interactive;
    context->report->printed = true;
    flags |= JSON_REAL_PRECISION(15) | (harmless ? JSON_ENSURE_ASCII : 0);
    char *text = memory_checked(json_dumps(json, flags));
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == 0x7F && harmless) {
            fputs("\\u007f", stdout);
        } else {
            fputc(*at, stdout);
        }
    }
    free(text);
}

void report_json(const struct context *context, const json_t *json)
{
    print_json(context, json, context->terminal.interactive ? JSON_INDENT(2) : JSON_COMPACT);
    fputc('\n', stdout);
}

void report_json_item(const struct context *context, const json_t *json)
{
    print_json(context, json, JSON_COMPACT);
}

json_t *report_ask(const struct context *context, const char *method, const char *target,
                   const json_t *request, const char *name, int *exit_code)
{
    struct error error;
    json_t *answer;
    enum client_result result =
        client_ask(context->client, method, target, request, &answer, &error);
    if (result == CLIENT_DONE) {
        return answer;
    }
    if (json_is_string(json_object_get(answer, "detail"))) {
        keep_problem(context, json_incref(answer));
    }
    json_decref(answer);
    if (result == CLIENT_REFUSED && name != NULL) {
        peers_ask_and_suggest(context->client, name, &error);
    }
    *exit_code = report_failure(
        context, result == CLIENT_UNREACHABLE ? EXIT_UNREACHABLE : EXIT_REFUSED, error.message);
    return NULL;
}
