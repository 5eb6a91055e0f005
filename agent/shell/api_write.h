// The writing half of the API, reached over the control socket only. Answers come after what they
// say is durable.
#ifndef MAILFLOW_SHELL_API_WRITE_H
#define MAILFLOW_SHELL_API_WRITE_H

#include "shell/agent.h"
#include "shell/http_message.h"

void api_send_probe(struct agent *agent, const struct http_request *request,
                    struct http_response *response);
void api_begin_maintenance(struct agent *agent, const struct http_request *request,
                           struct http_response *response);
void api_change_maintenance(struct agent *agent, const struct http_request *request,
                            struct http_response *response);
void api_end_maintenance(struct agent *agent, const struct http_request *request,
                         struct http_response *response);
void api_reload(struct agent *agent, const struct http_request *request,
                struct http_response *response);

#endif
