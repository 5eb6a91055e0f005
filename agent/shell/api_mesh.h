// GET /api/v1/mesh: the servers and the cells of the matrix (core/matrix.h), streamed cell by cell;
// with ?state=bad (ok, unknown) only the cells of that state.
#ifndef MAILFLOW_SHELL_API_MESH_H
#define MAILFLOW_SHELL_API_MESH_H

#include "shell/agent.h"
#include "shell/http_message.h"

void api_read_mesh(struct agent *agent, const struct http_request *request,
                   struct http_response *response);

#endif
