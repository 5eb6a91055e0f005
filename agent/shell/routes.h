// What stands where: every path that is answered over HTTP, its methods and who answers.
#ifndef MAILFLOW_SHELL_ROUTES_H
#define MAILFLOW_SHELL_ROUTES_H

#include "shell/agent.h"
#include "shell/http_message.h"

// Fills the empty response. Unknown paths are 404, unknown methods 405 with Allow, and writes that
// did not come over the control socket 403.
void routes_answer(struct agent *agent, const struct http_request *request,
                   struct http_response *response);

#endif
