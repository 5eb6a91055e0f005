// The table of open incidents. One that another keeps quiet is no row of its own but stands in the
// row of its cause.
#ifndef MAILFLOW_SHELL_PAGE_INCIDENTS_H
#define MAILFLOW_SHELL_PAGE_INCIDENTS_H

#include "shell/agent.h"

size_t page_incidents_count(const struct agent *agent);
void page_incidents_row(struct text *out, const struct agent *agent, size_t index,
                        struct moment now);

// Open, and kept quiet by no other: what there is to look after.
size_t page_incidents_causes(const struct agent *agent);

#endif
