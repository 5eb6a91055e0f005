#include "ctl/help.h"

#include <string.h>

#include "ctl/format.h"
#include "base/suggest.h"
#include "ctl/paragraph.h"

enum { VERBS_MOST = 32, SHORTENED_LEAST = 3 };

static void print_summary(const struct verb *verb, FILE *out)
{
    enum { SUMMARY_COLUMN = 23 };
    fprintf(out, "  %-20s ", verb->name);
    paragraph_print(verb->summary, SUMMARY_COLUMN, paragraph_width(out), out);
}

void help_print(FILE *out)
{
    fputs("Usage: mailflowctl [OPTION]... VERB [ARGUMENT]...\n\n"
          "Asks and steers the mailflow agent of this server.\n\nVerbs:\n",
          out);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        print_summary(&VERBS[i], out);
    }
    fputs("\nOptions of every verb:\n", out);
    options_print_help(OPTIONS_GLOBAL, NULL, out);
    fputs("\nDurations are written 250ms, 15s, 30m, 4h, 5d.\n", out);
    paragraph_print("Exit codes: 0 done, 1 refused or failed, 2 usage, 3 agent unreachable.", 0,
                    paragraph_width(out), out);
    fputs("More on a verb: mailflowctl VERB --help\n", out);
}

void help_print_verb(const struct verb *verb, FILE *out)
{
    const char *arguments = verb->arguments == NULL ? "" : verb->arguments;
    fprintf(out, "Usage: mailflowctl %s%s%s [OPTION]...\n\n", verb->name,
            arguments[0] == '\0' ? "" : " ", arguments);
    paragraph_print(verb->help, 0, paragraph_width(out), out);
    if (verb->options != 0) {
        fputs("\nOptions:\n", out);
        options_print_help(verb->options, verb->meanings, out);
    }
    fputs("\nOptions of every verb:\n", out);
    options_print_help(OPTIONS_GLOBAL, NULL, out);
    fprintf(out, "\nExamples:\n%s", verb->examples);
}

static bool in_group(const struct verb *verb, const char *word)
{
    size_t length = strlen(word);
    return strncmp(verb->name, word, length) == 0 && verb->name[length] == ' ';
}

bool help_print_group(const char *word, FILE *out)
{
    bool any = false;
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (in_group(&VERBS[i], word)) {
            fputs(any ? "" : "Verbs:\n", out);
            print_summary(&VERBS[i], out);
            any = true;
        }
    }
    return any;
}

bool help_is_group(const char *word)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (in_group(&VERBS[i], word)) {
            return true;
        }
    }
    return false;
}

// "begin, extend, ..."
static void list_group(const char *word, struct text *out)
{
    const char *before = "";
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (in_group(&VERBS[i], word)) {
            text_append(out, before);
            text_append(out, VERBS[i].name + strlen(word) + 1);
            before = ", ";
        }
    }
}

// The first word of the verbs of a group, whole, of which this is the beginning.
static bool find_group(const char *word, struct text *group)
{
    size_t length = strlen(word);
    for (size_t i = 0; i < VERB_COUNT && length >= SHORTENED_LEAST; i++) {
        const char *name = VERBS[i].name, *end = strchr(name, ' ');
        if (end != NULL && strncmp(name, word, length) == 0) {
            text_append_bytes(group, name, (size_t)(end - name));
            return true;
        }
    }
    return false;
}

// What others call it, and who comes from them tries.
static const struct {
    const char *word;
    const char *verb;
} OTHER_WORDS[] = {
    {"alerts", "status"},
    {"config", "check"},
    {"incidents", "status"},
    {"init", "setup"},
    {"list", "status"},
    {"log", "history"},
    {"ping", "probe"},
    {"send", "probe"},
    {"show", "status"},
    {"stats", "status"},
    {"test", "check"},
    {"windows", "maintenance list"},
    {"maintenance start", "maintenance begin"},
    {"maintenance stop", "maintenance end"},
    {"maintenance show", "maintenance list"},
    {"maintenance status", "maintenance list"},
    {"maintenance delete", "maintenance cancel"},
};

static const char *translate(const char *word)
{
    size_t i = 0;
    while (i < sizeof OTHER_WORDS / sizeof OTHER_WORDS[0] &&
           strcmp(OTHER_WORDS[i].word, word) != 0) {
        i++;
    }
    return i < sizeof OTHER_WORDS / sizeof OTHER_WORDS[0] ? OTHER_WORDS[i].verb : NULL;
}

// The verb's name that comes nearest to what was given, first as one word and then as two.
static const char *nearest_verb(const char *const *words, size_t count, const char *group)
{
    const char *names[VERBS_MOST];
    char pair[128];
    struct text text = TEXT_OVER(pair);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        names[i] = VERBS[i].name;
    }
    const char *near = translate(words[0]);
    near = near != NULL ? near : suggest_nearest(words[0], names, VERB_COUNT);
    if (near == NULL && count > 1) {
        text_format(&text, "%s %s", group[0] == '\0' ? words[0] : group, words[1]);
        near = translate(pair);
        near = near != NULL ? near : suggest_nearest(pair, names, VERB_COUNT);
    }
    return near;
}

void help_describe_unknown(const char *const *words, size_t count, struct text *out)
{
    char group[32];
    struct text text = TEXT_OVER(group);
    bool grouped = find_group(words[0], &text), whole = help_is_group(words[0]);
    if (whole && count == 1) {
        text_format(out, "%s what? One of: ", group);
        list_group(group, out);
        return;
    }
    const char *near = nearest_verb(words, count, group);
    near = near == NULL && grouped && !whole ? group : near;
    text_append(out, "no verb '");
    format_text(words[0], out);
    if (grouped && count > 1) {
        text_append(out, " ");
        format_text(words[1], out);
    }
    text_append(out, "'");
    if (near != NULL) {
        text_format(out, "; did you mean '%s'?", near);
    }
    if (grouped) {
        text_format(out, "%s %s comes one of: ", near == NULL ? "; after" : " After", group);
        list_group(group, out);
    }
}
