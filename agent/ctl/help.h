// What mailflowctl says about itself, made from the tables of verbs and options.
#ifndef MAILFLOW_CTL_HELP_H
#define MAILFLOW_CTL_HELP_H

#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"
#include "ctl/verb.h"

void help_print(FILE *out);
void help_print_verb(const struct verb *verb, FILE *out);

// The verbs that begin with this word ("maintenance"); false when there are none.
bool help_print_group(const char *word, FILE *out);
bool help_is_group(const char *word);

// Why these words name no verb, and which was probably meant.
void help_describe_unknown(const char *const *words, size_t count, struct text *out);

#endif
