// GET /: the status page, for a person in a hurry: what is wrong, since when, whose fault, is it
// maintenance. One HTML document, streamed part by part; a script keeps it up to date, and it is
// complete without one.
#ifndef MAILFLOW_SHELL_PAGE_H
#define MAILFLOW_SHELL_PAGE_H

#include "shell/agent.h"
#include "shell/http_message.h"

void page_answer(struct agent *agent, const struct http_request *request,
                 struct http_response *response);

#endif
