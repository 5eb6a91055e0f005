// What stands where: every path that is answered over HTTP, its methods and who answers.
#ifndef MAILFLOW_SHELL_ROUTES_H
#define MAILFLOW_SHELL_ROUTES_H

#include "shell/agent.h"
#include "shell/http_message.h"

struct route {
    const char *path; // with '/' at its end: an id follows
    void (*methods[HTTP_METHODS])(struct agent *agent, const struct http_request *request,
                                  struct http_response *response);
};

// All of them, for whoever goes through them; NULL behind the last.
const struct route *routes_at(size_t index);

// Whether what stands there is signed: the body itself says whether it may write.
bool routes_is_signed(const struct route *route);

// Fills the empty response. Unknown paths are 404, unknown methods 405 with Allow, and writes that
// may not be 403 or 401, but for the path of the exchange.
void routes_answer(struct agent *agent, const struct http_request *request,
                   struct http_response *response);

// Whether the path takes a body from anyone: what stands there is signed.
bool routes_take_signed(const char *path);

#endif
