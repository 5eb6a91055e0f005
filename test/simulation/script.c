#include "simulation/script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulation/journal.h"
#include "simulation/statement.h"

void script_free(struct script *script)
{
    if (script == NULL) {
        return;
    }
    for (size_t i = 0; i < script->line_count; i++) {
        free(script->lines[i].text);
    }
    free(script->lines);
    free(script);
}

static size_t add_line(struct script *script, unsigned number, const char *text)
{
    size_t size = (script->line_count + 1) * sizeof *script->lines;
    script->lines = memory_checked(realloc(script->lines, size));
    script->lines[script->line_count] = (struct script_line){number, memory_checked(strdup(text))};
    return script->line_count++;
}

static void put_line(struct world *world, size_t line, struct span at)
{
    world_put_event(world,
                    (struct world_event){.at = {at.ns}, .kind = WORLD_SCRIPT, .a = (int)line});
}

// Takes the first word off the text; "" at its end.
static void take_word(const char **text, char word[32])
{
    size_t length = 0;
    while (isspace((unsigned char)**text)) {
        (*text)++;
    }
    for (; **text != '\0' && !isspace((unsigned char)**text); (*text)++) {
        if (length < 31) {
            word[length++] = **text;
        }
    }
    word[length] = '\0';
    while (isspace((unsigned char)**text)) {
        (*text)++;
    }
}

static bool take_span(const char **text, struct span *out, struct error *error)
{
    char word[32];
    take_word(text, word);
    return span_parse(word, out) || error_set(error, "'%s' is no duration", word);
}

static bool read_at(struct world *world, unsigned number, const char *text, struct error *error)
{
    struct span at;
    if (!take_span(&text, &at, error)) {
        return false;
    }
    put_line(world, add_line(world->script, number, text), at);
    return true;
}

// every DURATION [from DURATION] times N STATEMENT
static bool read_every(struct world *world, unsigned number, const char *text, struct error *error)
{
    struct span every, at;
    char word[32];
    if (!take_span(&text, &every, error)) {
        return false;
    }
    at = every;
    take_word(&text, word);
    if (strcmp(word, "from") == 0) {
        if (!take_span(&text, &at, error)) {
            return false;
        }
        take_word(&text, word);
    }
    if (strcmp(word, "times") != 0) {
        return error_set(error, "'times' is missing");
    }
    take_word(&text, word);
    size_t line = add_line(world->script, number, text);
    for (long i = strtol(word, NULL, 10); i > 0; i--, at = span_add(at, every)) {
        put_line(world, line, at);
    }
    return true;
}

static bool read_line(struct world *world, unsigned number, const char *text, struct error *error)
{
    const char *rest = text;
    char word[32];
    take_word(&rest, word);
    if (word[0] == '\0') {
        return true;
    }
    return strcmp(word, "at") == 0      ? read_at(world, number, rest, error)
           : strcmp(word, "every") == 0 ? read_every(world, number, rest, error)
                                        : statement_run(world, text, error);
}

bool script_read(struct world *world, const char *text, struct error *error)
{
    world->script = memory_checked(calloc(1, sizeof *world->script));
    unsigned number = 1;
    for (const char *at = text; *at != '\0'; number++) {
        size_t length = strcspn(at, "\n");
        char line[256] = "";
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "#\n"), at);
        for (size_t end = strlen(line); end > 0 && isspace((unsigned char)line[end - 1]); end--) {
            line[end - 1] = '\0';
        }
        if (!read_line(world, number, line, error)) {
            return error_prefix(error, "line %u", number);
        }
        at += length + (at[length] == '\n');
    }
    return world->end.ns > 0 || error_set(error, "no 'run' says how long");
}

void script_run_line(struct world *world, size_t line)
{
    const struct script_line *script_line = &world->script->lines[line];
    struct error error = {0};
    journal_script(world, script_line->text);
    if (!statement_run(world, script_line->text, &error)) {
        error_prefix(&error, "line %u", script_line->number);
        journal_check(world, false, -1, error.message);
    }
}
