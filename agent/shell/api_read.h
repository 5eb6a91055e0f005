// The reading half of the API: one function per path of config/openapi.yaml.
#ifndef MAILFLOW_SHELL_API_READ_H
#define MAILFLOW_SHELL_API_READ_H

#include "shell/agent.h"
#include "shell/http_message.h"

void api_read_version(struct agent *agent, const struct http_request *request,
                      struct http_response *response);
void api_read_status(struct agent *agent, const struct http_request *request,
                     struct http_response *response);
void api_read_paths(struct agent *agent, const struct http_request *request,
                    struct http_response *response);
void api_read_probes(struct agent *agent, const struct http_request *request,
                     struct http_response *response);
void api_read_probe(struct agent *agent, const struct http_request *request,
                    struct http_response *response);
void api_read_incidents(struct agent *agent, const struct http_request *request,
                        struct http_response *response);
void api_read_maintenance(struct agent *agent, const struct http_request *request,
                          struct http_response *response);
void api_read_window(struct agent *agent, const struct http_request *request,
                     struct http_response *response);

#endif
