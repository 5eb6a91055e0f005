#include <string.h>

#include "ctl/option_rows.h"
#include "ctl/verb.h"
#include "manual/mdoc.h"
#include "manual/parts.h"

static void print_option(const struct option_row *row, const char *help, FILE *out)
{
    fputs(".It ", out);
    if (row->letter != '\0') {
        fprintf(out, "Fl %c , ", row->letter);
    }
    fprintf(out, "Fl -%s", row->name);
    if (row->shown[0] != '\0') {
        fprintf(out, " Ar %s", row->shown);
    }
    fputc('\n', out);
    mdoc_text(help, out);
}

static void print_option_list(uint64_t set, const struct option_meaning *meanings, FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (enum option i = 0; i < OPTIONS; i++) {
        if ((set & OPTION_BIT(i)) != 0) {
            print_option(&OPTION_ROWS[i], option_help(i, meanings), out);
        }
    }
    fputs(".El\n", out);
}

enum { REPEATED_MOST = 4 }; // options; a longer list is printed once

// The verb before this one that takes the same many options, or NULL.
static const struct verb *find_same_options(const struct verb *verb)
{
    int count = __builtin_popcountll(verb->options);
    for (const struct verb *other = VERBS; other < verb && count > REPEATED_MOST; other++) {
        if (other->options == verb->options && other->meanings == verb->meanings) {
            return other;
        }
    }
    return NULL;
}

static void print_options_of(const struct verb *verb, FILE *out)
{
    const struct verb *same = find_same_options(verb);
    if (same != NULL) {
        fprintf(out, ".Pp\nIts options are those of\n.Cm %s .\n", same->name);
    } else if (verb->options != 0) {
        print_option_list(verb->options, verb->meanings, out);
    }
}

static void print_verb(const struct verb *verb, FILE *out)
{
    fprintf(out, ".Ss %s\n.Nm\n.Cm %s\n", verb->name, verb->name);
    if (verb->options != 0) {
        fputs(".Op Ar option ...\n", out);
    }
    if (verb->arguments != NULL) {
        fprintf(out, ".Ar %s\n", verb->arguments);
    }
    fputs(".Pp\n", out);
    mdoc_text(verb->help, out);
    print_options_of(verb, out);
    fputs(".Pp\n", out);
    fputs(strchr(verb->examples, '\n')[1] == '\0' ? "Example:\n" : "Examples:\n", out);
    mdoc_lines(verb->examples, out);
}

void manual_print_verbs(FILE *out)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        print_verb(&VERBS[i], out);
    }
}

void manual_print_options(FILE *out)
{
    print_option_list(OPTIONS_GLOBAL, NULL, out);
}
