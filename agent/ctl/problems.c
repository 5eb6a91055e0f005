#include "ctl/problems.h"

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/format.h"

static json_t *problem_to_json(const struct config_problem *problem)
{
    return memory_checked(json_pack(
        "{s:o, s:i, s:i, s:s, s:o}", "file", client_json_text(problem->file), "line",
        (int)problem->line, "column", (int)problem->column, "severity",
        problem->warning ? "warning" : "error", "message", client_json_text(problem->message)));
}

json_t *problems_to_json(const struct config_problems *problems)
{
    json_t *list = memory_checked(json_array());
    for (size_t i = 0; i < problems->count; i++) {
        json_array_append_new(list, problem_to_json(&problems->items[i]));
    }
    return list;
}

json_t *problems_to_lines(const struct config_problems *problems)
{
    json_t *list = memory_checked(json_array());
    for (size_t i = 0; i < problems->count; i++) {
        char line[1024];
        struct text text = TEXT_OVER(line);
        config_problem_format(&problems->items[i], &text);
        json_array_append_new(list, client_json_text(line));
    }
    return list;
}

void problems_print_lines(const json_t *lines, FILE *out)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        char shown[1024];
        struct text text = TEXT_OVER(shown);
        const char *line = json_string_value(json_array_get(lines, i));
        format_text(line == NULL ? "(not text)" : line, &text);
        fprintf(out, "%s\n", shown);
    }
}

static void print_problem(const struct config_problem *problem, FILE *out)
{
    char line[1024];
    struct text text = TEXT_OVER(line);
    config_problem_format(problem, &text);
    fprintf(out, "%s\n", line);
}

static size_t count_errors_shown(const struct config_problems *problems)
{
    size_t errors = 0;
    for (size_t i = 0; i < problems->count; i++) {
        errors += problems->items[i].warning ? 0 : 1;
    }
    return errors;
}

void problems_print(const struct config_problems *problems, FILE *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        print_problem(&problems->items[i], out);
    }
    size_t more = problems->errors - count_errors_shown(problems);
    if (more > 0) {
        fprintf(out, "and %zu more errors\n", more);
    }
}

void problems_print_summary(const struct settings *settings, FILE *out)
{
    fprintf(out, "ok: %zu peer%s, %zu mailbox%s\n", settings->peer_count,
            settings->peer_count == 1 ? "" : "s", settings->mailbox_count,
            settings->mailbox_count == 1 ? "" : "es");
}
