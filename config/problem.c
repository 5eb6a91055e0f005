#include "config/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct problem_list problem_list_over(struct config_problems *found)
{
    found->count = 0;
    found->errors = 0;
    return (struct problem_list){.found = found};
}

static bool place_before(struct place at, unsigned order, const struct config_problem *other)
{
    if (at.file->order != order) {
        return at.file->order < order;
    }
    return at.line != other->line ? at.line < other->line : at.column < other->column;
}

// Makes room where the place belongs, dropping the last when the list is full; NULL when it would
// itself be the one dropped.
static struct config_problem *problem_list_insert(struct problem_list *list, struct place at)
{
    struct config_problems *found = list->found;
    size_t to = found->count;
    while (to > 0 && place_before(at, list->orders[to - 1], &found->items[to - 1])) {
        to--;
    }
    if (to == CONFIG_PROBLEMS_MAXIMUM) {
        return NULL;
    }
    if (found->count < CONFIG_PROBLEMS_MAXIMUM) {
        found->count++;
    }
    size_t behind = found->count - 1 - to;
    memmove(&found->items[to + 1], &found->items[to], behind * sizeof found->items[0]);
    memmove(&list->orders[to + 1], &list->orders[to], behind * sizeof list->orders[0]);
    list->orders[to] = at.file->order;
    return &found->items[to];
}

static void problem_add(struct problem_list *list, struct place at, bool warning,
                        const char *format, va_list arguments)
{
    struct config_problem *problem = problem_list_insert(list, at);
    if (!warning) {
        list->found->errors++;
    }
    if (problem == NULL) {
        return;
    }
    *problem = (struct config_problem){.line = at.line, .column = at.column, .warning = warning};
    struct text file = TEXT_OVER(problem->file);
    text_append_escaped(&file, at.file->path);
    char unescaped[2 * sizeof problem->message];
    vsnprintf(unescaped, sizeof unescaped, format, arguments);
    struct text message = TEXT_OVER(problem->message);
    text_append_escaped(&message, unescaped);
}

void problem_error(struct problem_list *list, struct place at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    problem_add(list, at, false, format, arguments);
    va_end(arguments);
}

void problem_warning(struct problem_list *list, struct place at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    problem_add(list, at, true, format, arguments);
    va_end(arguments);
}

struct quoted problem_quote(const char *from)
{
    static const char MORE[] = "...";
    struct quoted quoted = {""};
    struct text text = text_over(quoted.text, sizeof quoted.text - strlen(MORE));
    text_append(&text, from);
    if (text.truncated) {
        memcpy(quoted.text + text.length, MORE, sizeof MORE);
    }
    return quoted;
}

void config_problem_format(const struct config_problem *problem, struct text *out)
{
    text_append(out, problem->file);
    if (problem->line > 0) {
        text_format(out, ":%u:%u", problem->line, problem->column);
    }
    text_format(out, ": %s%s", problem->warning ? "warning: " : "", problem->message);
}
