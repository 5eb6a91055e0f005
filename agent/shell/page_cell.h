// The cells of the page's tables. Each tells what it is, for narrow screens stand them one below
// the other.
#ifndef MAILFLOW_SHELL_PAGE_CELL_H
#define MAILFLOW_SHELL_PAGE_CELL_H

#include <stdbool.h>

#include "base/instant.h"
#include "base/text.h"

// The caller appends the content, escaped, and "</td>".
void page_begin_cell(struct text *out, const char *label, const char *class);

// The cell that names the row.
void page_row_head(struct text *out, const char *value);

void page_cell(struct text *out, const char *label, const char *class, const char *value);
void page_time_cell(struct text *out, const char *label, struct walltime at, struct walltime now);

// A dash when it is not known.
void page_span_cell(struct text *out, const char *label, bool known, struct span of);

#endif
