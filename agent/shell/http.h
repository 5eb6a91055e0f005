// The agent's HTTP side: one listener per TCP address, read only but for those who have the token
// and the agents of our peers, and one on the control socket, which may write and whose file
// permissions decide who does. All in the agent's loop.
//
// Nobody can lock the others out: connections, their memory and their idle time are limited, and
// above three quarters of the limit, or after a minute, those that are of no use are shut down.
#ifndef MAILFLOW_SHELL_HTTP_H
#define MAILFLOW_SHELL_HTTP_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "config/config.h"
#include "shell/agent.h"

struct http;

// NULL with a message when an address cannot be listened on.
struct http *http_create(uv_loop_t *loop, const struct settings *settings, struct agent *agent,
                         struct error *error);

// Moves to the addresses of other settings, which are taken over right afterwards; what listens on
// an address that stays goes on, unless it has to show another certificate. On failure everything
// is as before. May be called from inside a request.
bool http_reconfigure(struct http *http, const struct settings *settings, struct error *error);

// Removes the control socket; frees itself as the loop runs on.
void http_destroy(struct http *http);

#endif
