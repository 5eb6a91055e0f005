// The table of maintenance windows that are announced, active or whose queues may still drain.
#ifndef MAILFLOW_SHELL_PAGE_WINDOWS_H
#define MAILFLOW_SHELL_PAGE_WINDOWS_H

#include "shell/agent.h"

size_t page_windows_count(const struct agent *agent);
void page_windows_row(struct text *out, const struct agent *agent, size_t index, struct moment now);

// How many are active, and which of them ends last; NULL when none is.
size_t page_windows_count_active(const struct agent *agent, struct walltime now);
const struct window *page_windows_active(const struct agent *agent, struct walltime now);

#endif
