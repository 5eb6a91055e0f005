// The way of a probe as `mailflowctl explain` shows it: a table of its hops, the slowest marked,
// and what the receiving server found of its authentication.
#ifndef MAILFLOW_CTL_EXPLAIN_WAY_H
#define MAILFLOW_CTL_EXPLAIN_WAY_H

#include <jansson.h>

#include "ctl/terminal.h"

// The agent's answer about one probe. Prints nothing of what is not known.
void explain_way_print(const json_t *probe, const struct terminal *terminal);

#endif
