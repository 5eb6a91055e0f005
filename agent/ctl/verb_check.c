#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "config/config.h"
#include "ctl/report.h"
#include "ctl/verb.h"

static void print_problem(const struct config_problem *problem, FILE *out)
{
    char line[1024];
    struct text text = TEXT_OVER(line);
    config_problem_format(problem, &text);
    fprintf(out, "%s\n", line);
}

static json_t *problem_to_json(const struct config_problem *problem)
{
    return memory_checked(json_pack(
        "{s:o, s:i, s:i, s:s, s:o}", "file", client_json_text(problem->file), "line",
        (int)problem->line, "column", (int)problem->column, "severity",
        problem->warning ? "warning" : "error", "message", client_json_text(problem->message)));
}

static json_t *problems_to_json(const struct config_problems *problems)
{
    json_t *list = memory_checked(json_array());
    for (size_t i = 0; i < problems->count; i++) {
        json_array_append_new(list, problem_to_json(&problems->items[i]));
    }
    return list;
}

// The configuration in force as a text of YAML, null where there is none.
static json_t *effective_to_json(const struct settings *settings)
{
    char *yaml = NULL;
    size_t size;
    if (settings == NULL) {
        return json_null();
    }
    FILE *out = memory_checked(open_memstream(&yaml, &size));
    settings_print_effective(settings, out);
    fclose(out);
    json_t *text = client_json_text(yaml);
    free(yaml);
    return text;
}

static void print_json(const struct context *context, const struct config_problems *problems,
                       const struct settings *settings)
{
    json_t *json = problems_to_json(problems);
    if (context->command->effective) {
        json_t *both = memory_checked(
            json_pack("{s:o,s:o}", "problems", json, "effective", effective_to_json(settings)));
        json = both;
    }
    report_json(context, json);
    json_decref(json);
}

static size_t count_errors_shown(const struct config_problems *problems)
{
    size_t errors = 0;
    for (size_t i = 0; i < problems->count; i++) {
        errors += problems->items[i].warning ? 0 : 1;
    }
    return errors;
}

static void print_problems(const struct config_problems *problems, FILE *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        print_problem(&problems->items[i], out);
    }
    size_t more = problems->errors - count_errors_shown(problems);
    if (more > 0) {
        fprintf(out, "and %zu more errors\n", more);
    }
}

static void print_text(const struct context *context, const struct config_problems *problems,
                       const struct settings *settings)
{
    bool effective = context->command->effective && settings != NULL;
    print_problems(problems, effective ? stderr : stdout);
    if (effective) {
        settings_print_effective(settings, stdout);
    } else if (settings != NULL) {
        printf("ok: %zu peer%s, %zu mailbox%s\n", settings->peer_count,
               settings->peer_count == 1 ? "" : "s", settings->mailbox_count,
               settings->mailbox_count == 1 ? "" : "es");
    }
}

int verb_check(struct context *context)
{
    struct config_problems problems = {0};
    struct settings *settings = settings_load(context->command->config, &problems);
    bool good = settings != NULL;
    if (context->command->json) {
        print_json(context, &problems, settings);
    } else {
        print_text(context, &problems, settings);
    }
    settings_destroy(settings);
    return good ? EXIT_DONE : EXIT_REFUSED;
}
