#include "shell/path_query.h"

#include <string.h>

#include "shell/api_query.h"

static bool explain_ranges(struct error *error)
{
    char names[64];
    struct text text = TEXT_OVER(names);
    for (size_t i = 0; i < SMOKE_RANGES; i++) {
        text_format(&text, "%s%s", i == 0 ? "" : ", ", SMOKE_RANGE[i].name);
    }
    return error_set(error, "range: one of %s is meant", names);
}

bool path_query_read(const struct http_request *request, const char *name,
                     const struct settings *settings, struct path_query *out, struct error *error)
{
    const char *range = http_argument_value(request, "range");
    out->range = range[0] == '\0' ? smoke_range_default() : smoke_range_find(range);
    return (out->range != NULL || explain_ranges(error)) &&
           api_query_path(http_argument_value(request, name), settings, &out->peer, &out->direction,
                          error);
}

bool path_query_shows(const struct settings *settings, const struct path_query *query,
                      const struct window *window, struct walltime from, struct walltime to)
{
    bool ours = strcmp(window->server, settings->server) == 0 ||
                strcmp(window->server, settings->peers[query->peer].name) == 0;
    return ours && !window_void(window) && window_from(window).ns < to.ns &&
           window_until(window).ns > from.ns;
}
