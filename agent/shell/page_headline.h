// What one reads first: the gravest trouble in one line, since when, what else there is, and which
// maintenance is under way; or that all is well, and what that is made of.
#ifndef MAILFLOW_SHELL_PAGE_HEADLINE_H
#define MAILFLOW_SHELL_PAGE_HEADLINE_H

#include "shell/agent.h"
#include "shell/page_trouble.h"

void page_append_headline(struct text *out, const struct agent *agent,
                          const struct page_troubles *troubles, struct moment now);

#endif
