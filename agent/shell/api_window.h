// A maintenance window as the API tells it: what it is, who announced it from where, who knows of
// it, and what it has held back.
#ifndef MAILFLOW_SHELL_API_WINDOW_H
#define MAILFLOW_SHELL_API_WINDOW_H

#include <jansson.h>

#include "shell/agent.h"

// An item of a list must stay below HTTP_PIECE_SIZE whatever relays say: it names the first 16
// peers of each kind, and why in short.
enum api_window_detail { API_WINDOW_LISTED, API_WINDOW_WHOLE };

json_t *api_json_window(const struct agent *agent, const struct window *window, struct walltime now,
                        enum api_window_detail detail);

#endif
