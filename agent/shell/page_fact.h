// What is told of one probe, as lists of names and values: made of its JSON, so every value is cut
// to a length that leaves room for the others, and what is not known is left out.
#ifndef MAILFLOW_SHELL_PAGE_FACT_H
#define MAILFLOW_SHELL_PAGE_FACT_H

#include <jansson.h>

#include "base/instant.h"
#include "base/text.h"

// Of any text, and of what is a name or a word.
enum { FACT_BYTES = 257, FACT_SHORT = 65 };

void page_facts_begin(struct text *out, const char *title);
void page_facts_end(struct text *out);

// One value, escaped; a cut is seen.
void page_append_cut(struct text *out, const char *value);
void page_short_cell(struct text *out, const char *label, const char *class, const char *value);

// One name and value; the caller appends the value between the two.
void page_fact_begin(struct text *out, const char *name);
void page_fact_end(struct text *out);

void page_fact(struct text *out, const char *name, const char *value);
void page_fact_time(struct text *out, const char *name, const json_t *object, const char *member,
                    struct walltime now);
// Nothing when it is zero.
void page_fact_span(struct text *out, const char *name, const json_t *object, const char *member,
                    const char *error_member);

#endif
