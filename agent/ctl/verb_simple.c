#include <stdio.h>

#include "base/text.h"
#include "ctl/format.h"
#include "base/answer.h"
#include "ctl/problems.h"
#include "ctl/report.h"
#include "ctl/verb.h"
#include "version.h"

int verb_version(struct context *context)
{
    int code = EXIT_DONE;
    bool json = context->command->json;
    char agent[256];
    struct text text = TEXT_OVER(agent);
    if (!json) {
        puts("mailflowctl " MAILFLOW_VERSION);
        fflush(stdout);
    }
    json_t *answer = report_ask(context, "GET", "/version", NULL, NULL, &code);
    if (answer != NULL && json) {
        report_json(context, answer);
    } else if (answer != NULL) {
        format_text(answer_text(answer, "version"), &text);
        text_append(&text, " at ");
        format_text(answer_text(answer, "server"), &text);
        printf("mailflowd %s\n", agent);
    }
    json_decref(answer);
    return code;
}

int verb_reload(struct context *context)
{
    struct error error;
    json_t *answer;
    enum client_result result =
        client_ask(context->client, "POST", "/reload", NULL, &answer, &error);
    if (answer != NULL && context->command->json) {
        report_json(context, answer);
    } else if (result == CLIENT_DONE) {
        puts("The agent has taken the configuration over.");
    } else if (result == CLIENT_REFUSED) {
        problems_print_lines(json_object_get(answer, "problems"), stderr);
    }
    json_decref(answer);
    if (result == CLIENT_DONE) {
        return EXIT_DONE;
    }
    return report_failure(context, result == CLIENT_REFUSED ? EXIT_REFUSED : EXIT_UNREACHABLE,
                          error.message);
}
