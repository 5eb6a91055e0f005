// GET /path?name=mx02->mx01&range=24h: one path. How it stands, its latency over time, the windows
// and incidents that concern it, and its newest probes.
#ifndef MAILFLOW_SHELL_PAGE_PATH_H
#define MAILFLOW_SHELL_PAGE_PATH_H

#include "shell/agent.h"
#include "shell/http_message.h"

void page_path_answer(struct agent *agent, const struct http_request *request,
                      struct http_response *response);

#endif
