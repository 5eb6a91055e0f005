#include "shell/api_query.h"

#include <string.h>

#include "base/number.h"
#include "base/text.h"

void api_query_append_mesh(const struct settings *settings, struct text *out)
{
    enum { NAMED = 8 };
    text_format(out, "this mesh has %s", settings->server);
    for (size_t i = 0; i < settings->peer_count && i < NAMED; i++) {
        text_format(out, ", %s", settings->peers[i].name);
    }
    if (settings->peer_count > NAMED) {
        text_format(out, " and %zu more", settings->peer_count - NAMED);
    }
}

// A value from outside for a message: short, one line, printable.
static const char *shown(const char *value, char *out, size_t size)
{
    struct text text = text_over(out, size);
    text_append_escaped(&text, value);
    return out;
}

bool api_query_path(const char *value, const struct settings *settings, int *peer,
                    enum direction *direction, struct error *error)
{
    const char *arrow = strstr(value, "->");
    size_t before = arrow == NULL ? 0 : (size_t)(arrow - value);
    size_t own = strlen(settings->server);
    for (size_t i = 0; arrow != NULL && i < settings->peer_count; i++) {
        const char *name = settings->peers[i].name;
        bool outbound = before == own && memcmp(value, settings->server, own) == 0 &&
                        strcmp(arrow + 2, name) == 0;
        bool inbound = before == strlen(name) && memcmp(value, name, before) == 0 &&
                       strcmp(arrow + 2, settings->server) == 0;
        if (outbound || inbound) {
            *peer = (int)i;
            *direction = outbound ? OUTBOUND : INBOUND;
            return true;
        }
    }
    char path[80], mesh[256];
    struct text text = TEXT_OVER(mesh);
    api_query_append_mesh(settings, &text);
    return error_set(error, "path: no path '%s' here: write mx02->mx01, %s at one end; %s",
                     shown(value, path, sizeof path), settings->server, mesh);
}

static bool read_path(const char *value, const struct settings *settings, struct store_query *out,
                      struct error *error)
{
    int peer = 0; // the analyzer does not see that it is set
    enum direction direction = OUTBOUND;
    if (!api_query_path(value, settings, &peer, &direction, error)) {
        return false;
    }
    out->peer = settings->peers[peer].name;
    out->direction = (int)direction;
    return true;
}

static bool read_since(const char *value, struct walltime now, struct store_query *out,
                       struct error *error)
{
    struct span back;
    char text[48];
    if (span_parse(value, &back)) {
        out->since = walltime_subtract(now, back);
        return true;
    }
    return walltime_parse_rfc3339(value, &out->since) ||
           error_set(error,
                     "since: '%s' is neither a time like 2026-01-04T02:00:00Z nor a duration "
                     "back from now like 24h",
                     shown(value, text, sizeof text));
}

static bool read_verdict(const char *value, struct store_query *out, struct error *error)
{
    char names[128], text[48];
    struct text all = TEXT_OVER(names);
    for (int verdict = 0; verdict < VERDICTS; verdict++) {
        const char *name = verdict_name((enum verdict)verdict);
        if (strcmp(value, name) == 0) {
            out->verdict = verdict;
            return true;
        }
        text_format(&all, " %s", name);
    }
    return error_set(error, "verdict: '%s' is none of%s", shown(value, text, sizeof text), names);
}

static bool read_number(const char *name, const char *value, int64_t maximum, int64_t *out,
                        struct error *error)
{
    char text[48];
    return number_parse(value, 1, maximum, out) ||
           error_set(error, "%s: '%s' is not a number from 1 to %lld", name,
                     shown(value, text, sizeof text), (long long)maximum);
}

static bool read_argument(const struct http_argument *argument, const struct settings *settings,
                          struct walltime now, struct store_query *out, struct error *error)
{
    const char *name = argument->name, *value = argument->value;
    if (strcmp(name, "path") == 0) {
        return read_path(value, settings, out, error);
    }
    if (strcmp(name, "since") == 0) {
        return read_since(value, now, out, error);
    }
    if (strcmp(name, "verdict") == 0) {
        return read_verdict(value, out, error);
    }
    if (strcmp(name, "before") == 0) {
        return read_number(name, value, INT64_MAX, &out->before, error);
    }
    if (strcmp(name, "limit") == 0) {
        int64_t limit = 0;
        bool read = read_number(name, value, API_LIMIT_MAXIMUM, &limit, error);
        out->limit = (unsigned)limit;
        return read;
    }
    char text[48];
    return error_set(error, "unknown argument '%s': path, since, verdict, limit, before are known",
                     shown(name, text, sizeof text));
}

bool api_query_read(const struct http_request *request, const struct settings *settings,
                    struct store_query *out, struct error *error)
{
    *out = (struct store_query){.direction = -1, .verdict = -1, .limit = API_LIMIT_DEFAULT};
    for (size_t i = 0; i < request->argument_count; i++) {
        const struct http_argument *argument = &request->arguments[i];
        if (argument->value[0] != '\0' &&
            !read_argument(argument, settings, request->now.wall, out, error)) {
            return false;
        }
    }
    return true;
}
