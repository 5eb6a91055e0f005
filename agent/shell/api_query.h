// The query of GET /api/v1/probes: path, since, verdict, limit, before; an empty one is as if it
// were not there. Everything else is refused with the name of the argument.
#ifndef MAILFLOW_SHELL_API_QUERY_H
#define MAILFLOW_SHELL_API_QUERY_H

#include "config/config.h"
#include "shell/http_message.h"
#include "shell/store.h"

enum { API_LIMIT_DEFAULT = 100, API_LIMIT_MAXIMUM = 1000 };

// The path "mx02->mx01" of this server and a peer; the error names those there are.
bool api_query_path(const char *value, const struct settings *settings, int *peer,
                    enum direction *direction, struct error *error);

// The texts of the query are those of the settings.
bool api_query_read(const struct http_request *request, const struct settings *settings,
                    struct store_query *out, struct error *error);

// "this mesh has mx01, mx02 and 7 more": for messages about a server that is not there.
void api_query_append_mesh(const struct settings *settings, struct text *out);

#endif
