// GET /: the status page, for a person in a hurry. One HTML document without scripts or anything to
// load, streamed row by row, that asks for itself again every ten seconds.
#ifndef MAILFLOW_SHELL_PAGE_H
#define MAILFLOW_SHELL_PAGE_H

#include "shell/agent.h"
#include "shell/http_message.h"

void page_answer(struct agent *agent, const struct http_request *request,
                 struct http_response *response);

#endif
