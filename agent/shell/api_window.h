// A maintenance window as the API tells it: what it is, who announced it from where, who knows of
// it, and what it has held back.
#ifndef MAILFLOW_SHELL_API_WINDOW_H
#define MAILFLOW_SHELL_API_WINDOW_H

#include <jansson.h>

#include "shell/agent.h"

// "acknowledged" and "unacknowledged" name at most so many peers each.
enum { API_WINDOW_PEERS_LISTED = 40, API_WINDOW_PEERS_ALL = 100000 };

json_t *api_json_window(const struct agent *agent, const struct window *window, struct walltime now,
                        size_t peers);

#endif
