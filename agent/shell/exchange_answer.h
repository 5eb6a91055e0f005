// POST /peer/v1/exchange: another agent says what it has to say, and gets ours in the reply. Who
// may is decided by the signature alone. One that only asks whether it would be taken (`check`) is
// answered and leaves no trace.
#ifndef MAILFLOW_SHELL_EXCHANGE_ANSWER_H
#define MAILFLOW_SHELL_EXCHANGE_ANSWER_H

#include "shell/agent.h"
#include "shell/http_message.h"

void exchange_answer(struct agent *agent, const struct http_request *request,
                     struct http_response *response);

#endif
