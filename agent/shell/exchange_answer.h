// POST /peer/v1/exchange: another agent says what it has to say, and gets ours in the reply. Who
// may is decided by the signature alone: 401 without a good one; 400 when it is no message, 403
// when it is from or to somebody else, 409 when it is not fresh; 503 when the ledger cannot take
// it.
#ifndef MAILFLOW_SHELL_EXCHANGE_ANSWER_H
#define MAILFLOW_SHELL_EXCHANGE_ANSWER_H

#include "shell/agent.h"
#include "shell/http_message.h"

void exchange_answer(struct agent *agent, const struct http_request *request,
                     struct http_response *response);

#endif
