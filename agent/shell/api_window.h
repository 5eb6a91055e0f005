// A maintenance window as the API tells it: what it is, who announced it from where, and what it
// has held back.
#ifndef MAILFLOW_SHELL_API_WINDOW_H
#define MAILFLOW_SHELL_API_WINDOW_H

#include <jansson.h>

#include "shell/agent.h"

json_t *api_json_window(const struct agent *agent, const struct window *window,
                        struct walltime now);

#endif
