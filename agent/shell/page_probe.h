// GET /probe?id=ID: one probe's whole life, as /api/v1/probes/ID tells it. What is not known of it
// is not shown.
#ifndef MAILFLOW_SHELL_PAGE_PROBE_H
#define MAILFLOW_SHELL_PAGE_PROBE_H

#include <jansson.h>

#include "shell/agent.h"
#include "shell/http_message.h"

void page_probe_answer(struct agent *agent, const struct http_request *request,
                       struct http_response *response);

// The view of such an object, which is taken over.
void page_probe_respond(const struct agent *agent, json_t *probe, struct moment now,
                        struct http_response *response);

#endif
