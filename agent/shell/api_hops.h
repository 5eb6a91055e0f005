// The way of one probe, as its JSON has it: hops with their deltas, the route, and what the
// receiving server found of its authentication.
#ifndef MAILFLOW_SHELL_API_HOPS_H
#define MAILFLOW_SHELL_API_HOPS_H

#include <jansson.h>

#include "shell/agent.h"
#include "shell/store.h"

// Members of the probe: hops, hops_more (left out), hops_cut (and there may be more), delivery
// (from the last hop into the mailbox), route, authentication. Null or empty where nothing is
// known.
void api_json_write_way(json_t *object, const struct agent *agent, const struct store_probe *probe);

#endif
