// GET /metrics: what the agent knows, in the format that was asked for.
#ifndef MAILFLOW_SHELL_METRICS_ANSWER_H
#define MAILFLOW_SHELL_METRICS_ANSWER_H

#include "shell/agent.h"
#include "shell/http_message.h"

void metrics_answer(struct agent *agent, const struct http_request *request,
                    struct http_response *response);

#endif
