// What is asked of one path's latency over time: which path, and how far back.
#ifndef MAILFLOW_SHELL_PATH_QUERY_H
#define MAILFLOW_SHELL_PATH_QUERY_H

#include "shell/agent.h"
#include "shell/http_message.h"
#include "shell/smoke.h"

struct path_query {
    int peer;
    enum direction direction;
    const struct smoke_range *range;
};

// The path stands in the argument of that name. False with what is wrong.
bool path_query_read(const struct http_request *request, const char *name,
                     const struct settings *settings, struct path_query *out, struct error *error);

// A window touches the path and the stretch of time.
bool path_query_shows(const struct settings *settings, const struct path_query *query,
                      const struct window *window, struct walltime from, struct walltime to);

#endif
