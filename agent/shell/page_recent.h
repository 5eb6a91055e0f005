// What has closed lately, as far as it stood for itself: the table of the last day's incidents.
#ifndef MAILFLOW_SHELL_PAGE_RECENT_H
#define MAILFLOW_SHELL_PAGE_RECENT_H

#include "shell/agent.h"

// The whole table, or a sentence that there is none.
void page_append_recent(struct text *out, const struct agent *agent, struct moment now);

#endif
