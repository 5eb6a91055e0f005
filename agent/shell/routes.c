#include "shell/routes.h"

#include <string.h>

#include "shell/api_latency.h"
#include "shell/api_mesh.h"
#include "shell/api_read.h"
#include "shell/api_write.h"
#include "shell/assets.h"
#include "shell/exchange_answer.h"
#include "shell/metrics_answer.h"
#include "shell/page.h"
#include "shell/page_path.h"
#include "shell/page_probe.h"

static void answer_alive(struct agent *agent, const struct http_request *request,
                         struct http_response *response)
{
    (void)agent, (void)request;
    http_respond_text(response, 200, "ok\n");
}

static void answer_ready(struct agent *agent, const struct http_request *request,
                         struct http_response *response)
{
    char reason[256], answer[sizeof reason + 1];
    struct text text = TEXT_OVER(answer);
    (void)request;
    bool ready = agent_ready(agent, reason, sizeof reason);
    text_format(&text, "%s\n", ready ? "ok" : reason);
    http_respond_text(response, ready ? 200 : 503, answer);
}

static const struct route ROUTES[] = {
    {"/", {[HTTP_GET] = page_answer}},
    {"/path", {[HTTP_GET] = page_path_answer}},
    {"/probe", {[HTTP_GET] = page_probe_answer}},
    {ASSETS_PATH, {[HTTP_GET] = assets_answer}},
    {"/metrics", {[HTTP_GET] = metrics_answer}},
    {"/healthz", {[HTTP_GET] = answer_alive}},
    {"/readyz", {[HTTP_GET] = answer_ready}},
    {"/api/v1/version", {[HTTP_GET] = api_read_version}},
    {"/api/v1/status", {[HTTP_GET] = api_read_status}},
    {"/api/v1/paths", {[HTTP_GET] = api_read_paths}},
    {"/api/v1/probes", {[HTTP_GET] = api_read_probes, [HTTP_POST] = api_send_probe}},
    {"/api/v1/probes/", {[HTTP_GET] = api_read_probe}},
    {"/api/v1/latency", {[HTTP_GET] = api_read_latency}},
    {"/api/v1/incidents", {[HTTP_GET] = api_read_incidents}},
    {"/api/v1/mesh", {[HTTP_GET] = api_read_mesh}},
    {"/api/v1/maintenance",
     {[HTTP_GET] = api_read_maintenance, [HTTP_POST] = api_begin_maintenance}},
    {"/api/v1/maintenance/",
     {[HTTP_GET] = api_read_window,
      [HTTP_PATCH] = api_change_maintenance,
      [HTTP_DELETE] = api_end_maintenance}},
    {"/api/v1/reload", {[HTTP_POST] = api_reload}},
    {EXCHANGE_PATH, {[HTTP_POST] = exchange_answer}},
};

const struct route *routes_at(size_t index)
{
    return index < sizeof ROUTES / sizeof ROUTES[0] ? &ROUTES[index] : NULL;
}

bool routes_is_signed(const struct route *route)
{
    return route->methods[HTTP_POST] == exchange_answer;
}

static const struct route *find_route(const char *path)
{
    const struct route *route;
    for (size_t i = 0; (route = routes_at(i)) != NULL; i++) {
        size_t length = strlen(route->path);
        bool with_id = length > 1 && route->path[length - 1] == '/';
        if (with_id ? strncmp(path, route->path, length) == 0 && path[length] != '\0'
                    : strcmp(path, route->path) == 0) {
            break;
        }
    }
    return route;
}

static void answer_method(const struct route *route, struct http_response *response)
{
    char list[sizeof response->allow];
    struct text allow = TEXT_OVER(list);
    for (int method = 0; method < HTTP_METHODS; method++) {
        if (route->methods[method] != NULL) {
            text_format(&allow, "%s%s%s", allow.length == 0 ? "" : ", ",
                        http_method_name((enum http_method)method),
                        method == HTTP_GET ? ", HEAD" : "");
        }
    }
    http_respond_problem(response, 405, "this method is not known here: use %s", list);
    text_copy(response->allow, sizeof response->allow, list);
}

static void refuse_write(const struct http_request *request, struct http_response *response)
{
    if (request->token_wanted) {
        http_respond_problem(response, 401, "changes over HTTPS need the bearer token");
        response->authenticate = "Bearer";
    } else {
        http_respond_problem(response, 403,
                             "changes are made over the control socket only (mailflowctl)");
    }
}

void routes_answer(struct agent *agent, const struct http_request *request,
                   struct http_response *response)
{
    const struct route *route = find_route(request->path);
    if (route == NULL) {
        http_respond_problem(response, 404, "there is nothing at this path");
    } else if (request->method == HTTP_METHODS || route->methods[request->method] == NULL) {
        answer_method(route, response);
    } else if (request->method != HTTP_GET && !request->may_write && !routes_is_signed(route)) {
        refuse_write(request, response);
    } else {
        route->methods[request->method](agent, request, response);
    }
}

bool routes_take_signed(const char *path)
{
    const struct route *route = find_route(path);
    return route != NULL && routes_is_signed(route);
}
