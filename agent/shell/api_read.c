#include "shell/api_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_incident.h"
#include "shell/api_json.h"
#include "shell/api_list.h"
#include "shell/api_probe.h"
#include "shell/api_query.h"
#include "shell/api_window.h"
#include "version.h"

enum { INCIDENTS_MAXIMUM = 1000 };

static json_t *identity(const struct agent *agent)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "version", MAILFLOW_VERSION);
    json_write_text(object, "server", agent_settings(agent)->server);
    return object;
}

void api_read_version(struct agent *agent, const struct http_request *request,
                      struct http_response *response)
{
    (void)request;
    http_respond_json(response, 200, identity(agent));
}

// ---- status, paths, maintenance ----

static json_t *workers_to_json(const struct agent *agent)
{
    struct agent_workers workers = agent_workers(agent);
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "busy", workers.busy);
    json_write_integer(object, "killed", (int64_t)workers.killed);
    json_write_integer(object, "waiting", workers.waiting);
    return object;
}

static json_t *clock_to_json(const struct agent *agent)
{
    struct span error = core_clock_error(agent_core(agent));
    json_t *object = memory_checked(json_object());
    json_write_boolean(object, "synchronised", error.ns > 0);
    api_json_span_if(object, "error_seconds", error.ns > 0, error);
    return object;
}

void api_read_status(struct agent *agent, const struct http_request *request,
                     struct http_response *response)
{
    static const struct api_list *const LISTS[] = {&API_LIST_PATHS,        &API_LIST_INCIDENTS,
                                                   &API_LIST_MAINTENANCE,  &API_LIST_MAILBOXES,
                                                   &API_LIST_CERTIFICATES, NULL};
    char reason[256] = "";
    bool ready = agent_ready(agent, reason, sizeof reason);
    json_t *head = identity(agent);
    api_json_time(head, "started", agent_started(agent));
    api_json_time(head, "now", request->now.wall);
    json_write_boolean(head, "ready", ready);
    if (ready) {
        api_json_null(head, "not_ready_because");
    } else {
        json_write_text(head, "not_ready_because", reason);
    }
    json_write_object(head, "workers", workers_to_json(agent));
    json_write_object(head, "clock", clock_to_json(agent));
    api_list_respond(agent, request->now, head, LISTS, response);
}

void api_read_paths(struct agent *agent, const struct http_request *request,
                    struct http_response *response)
{
    static const struct api_list *const LISTS[] = {&API_LIST_PATHS, NULL};
    api_list_respond(agent, request->now, memory_checked(json_object()), LISTS, response);
}

void api_read_maintenance(struct agent *agent, const struct http_request *request,
                          struct http_response *response)
{
    static const struct api_list *const LISTS[] = {&API_LIST_WINDOWS, NULL};
    api_list_respond(agent, request->now, memory_checked(json_object()), LISTS, response);
}

void api_read_window(struct agent *agent, const struct http_request *request,
                     struct http_response *response)
{
    const char *id = request->path + strlen("/api/v1/maintenance/");
    const struct window *window = windows_find(core_windows(agent_core(agent)), id);
    if (window == NULL) {
        http_respond_problem(response, 404, "there is no window with this id (any more)");
    } else {
        http_respond_json(response, 200,
                          api_json_window(agent, window, request->now.wall, API_WINDOW_WHOLE));
    }
}

// ---- what the ledger knows ----

struct probe_page {
    json_t *probes;
    const struct agent *agent;
    struct walltime now;
    unsigned limit;
    int64_t last;
    bool more;
};

static bool take_probe(void *context, const struct store_probe *probe)
{
    struct probe_page *page = context;
    page->more = json_array_size(page->probes) == page->limit;
    if (!page->more) {
        json_array_append_new(page->probes, api_json_probe(page->agent, probe, page->now));
        page->last = probe->cursor;
    }
    return !page->more;
}

void api_read_probes(struct agent *agent, const struct http_request *request,
                     struct http_response *response)
{
    struct error error = {0};
    struct store_query query;
    if (!api_query_read(request, agent_settings(agent), &query, &error)) {
        http_respond_problem(response, 400, "%s", error.message);
        return;
    }
    struct probe_page page = {.probes = memory_checked(json_array()),
                              .agent = agent,
                              .now = request->now.wall,
                              .limit = query.limit};
    query.limit++; // one more, to know whether there is a next page
    json_t *object = memory_checked(json_object());
    json_write_object(object, "probes", page.probes);
    if (!store_query_probes(agent_store(agent), &query, take_probe, &page, &error)) {
        json_decref(object);
        http_respond_problem(response, 503, "the ledger cannot be read: %s", error.message);
        return;
    }
    json_write_object(object, "next", page.more ? json_integer(page.last) : json_null());
    http_respond_json(response, 200, object);
}

void api_read_probe(struct agent *agent, const struct http_request *request,
                    struct http_response *response)
{
    struct store_probe probe;
    struct error error;
    int status = api_find_probe(agent, request->path + strlen("/api/v1/probes/"), &probe, &error);
    if (status == 200) {
        http_respond_json(response, 200, api_json_probe_whole(agent, &probe, request->now));
    } else {
        http_respond_problem(response, status, "%s", error.message);
    }
}

// Each incident gets the list of those that it keeps, or kept, quiet.
static void write_children(json_t *incidents)
{
    size_t i;
    json_t *incident, *by_id = memory_checked(json_object());
    char key[24];
    json_array_foreach(incidents, i, incident)
    {
        json_t *children = memory_checked(json_array());
        snprintf(key, sizeof key, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(incident, "id")));
        json_object_set(by_id, key, children);
        json_write_object(incident, "children", children);
    }
    json_array_foreach(incidents, i, incident)
    {
        snprintf(key, sizeof key, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(incident, "cause")));
        json_array_append(json_object_get(by_id, key), json_object_get(incident, "id"));
    }
    json_decref(by_id);
}

struct incident_list {
    json_t *incidents;
    struct store *store;
};

static bool take_incident(void *context, const struct incident *incident)
{
    struct incident_list *list = context;
    json_array_append_new(list->incidents, api_json_incident(list->store, incident));
    return true;
}

void api_read_incidents(struct agent *agent, const struct http_request *request,
                        struct http_response *response)
{
    struct error error = {0};
    json_t *incidents = memory_checked(json_array());
    struct incident_list list = {incidents, agent_store(agent)};
    (void)request;
    if (!store_query_incidents(list.store, WALLTIME_NONE, INCIDENTS_MAXIMUM, take_incident, &list,
                               &error)) {
        json_decref(incidents);
        http_respond_problem(response, 503, "the ledger cannot be read: %s", error.message);
        return;
    }
    write_children(incidents);
    json_t *object = memory_checked(json_object());
    json_write_object(object, "incidents", incidents);
    http_respond_json(response, 200, object);
}
