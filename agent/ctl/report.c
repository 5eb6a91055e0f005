#include "ctl/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctl/peers.h"
#include "ctl/plugin.h"

int report_failure(const struct context *context, enum exit_code code, const char *message)
{
    bool plugin = context->verb != NULL && context->verb->plugin;
    if (plugin && !context->command->json) {
        plugin_print_line(PLUGIN_UNKNOWN, message, "");
    } else {
        fprintf(stderr, "mailflowctl: %s\n", message);
    }
    return plugin ? (int)PLUGIN_UNKNOWN : (int)code;
}

// jansson passes DEL, and beyond ASCII the C1 control characters too.
static void print_json(const struct context *context, const json_t *json, size_t flags)
{
    bool harmless = context->terminal.interactive;
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
    if (answer != NULL && context->command->json) {
        report_json(context, answer);
    }
    json_decref(answer);
    if (result == CLIENT_REFUSED && name != NULL) {
        peers_ask_and_suggest(context->client, name, &error);
    }
    *exit_code = report_failure(
        context, result == CLIENT_UNREACHABLE ? EXIT_UNREACHABLE : EXIT_REFUSED, error.message);
    return NULL;
}
