#include "shell/api_write.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/json_read.h"
#include "base/random.h"
#include "probes/json_values.h"
#include "shell/api_json.h"
#include "shell/api_query.h"
#include "shell/api_window.h"
#include "shell/window_request.h"

// The body as an object, an absent one as an empty object; NULL with the answer.
static json_t *read_body(const struct http_request *request, struct http_response *response)
{
    struct error error = {0};
    json_t *body = request->body_length == 0
                       ? memory_checked(json_object())
                       : json_read_line(request->body, request->body_length, &error);
    if (body == NULL) {
        http_respond_problem(response, 400, "the body is no request: %s", error.message);
    }
    return body;
}

// ---- a probe by hand ----

static void send_probe(struct agent *agent, const char *name, struct http_response *response)
{
    struct error error = {0};
    struct probe_id id;
    char text[PROBE_ID_TEXT], mesh[320];
    int peer = settings_find_peer(agent_settings(agent), name);
    if (peer < 0) {
        struct text all = TEXT_OVER(mesh);
        api_query_append_mesh(agent_settings(agent), &all);
        bool own = strcmp(name, agent_settings(agent)->server) == 0;
        http_respond_problem(response, 400, "%s'%s'%s: %s", own ? "" : "unknown peer ", name,
                             own ? " is this server, no peer" : "", mesh);
    } else if (!agent_probe_by_hand(agent, peer, &id, &error)) {
        http_respond_problem(response, 503, "%s", error.message);
    } else {
        json_t *object = memory_checked(json_object());
        json_write_text(object, "id", probe_id_format(&id, text));
        http_respond_json(response, 202, object);
    }
}

void api_send_probe(struct agent *agent, const struct http_request *request,
                    struct http_response *response)
{
    struct error error = {0};
    char name[SERVER_NAME_SIZE];
    json_t *body = read_body(request, response);
    if (body == NULL) {
        return;
    }
    if (json_read_plain(body, "peer", name, sizeof name, &error)) {
        send_probe(agent, name, response);
    } else {
        http_respond_problem(response, 400, "%s", error.message);
    }
    json_decref(body);
}

// ---- maintenance ----

static void name_window(struct window *window)
{
    enum { CHARACTERS = 10 };
    uint8_t bytes[8];
    char name[16];
    random_bytes(bytes, sizeof bytes);
    base32_encode(bytes, sizeof bytes, name);
    struct text id = TEXT_OVER(window->id);
    text_append(&id, "w-");
    for (int i = 0; i < CHARACTERS; i++) {
        text_format(&id, "%c", tolower((unsigned char)name[i]));
    }
}

static void put_window(struct agent *agent, const struct window *window, struct walltime now,
                       int status, struct http_response *response)
{
    struct error error = {0};
    if (!agent_put_window(agent, window, &error)) {
        http_respond_problem(response, 503, "%s", error.message);
        return;
    }
    http_respond_json(response, status, api_json_window(agent, window, now, API_WINDOW_WHOLE));
}

void api_begin_maintenance(struct agent *agent, const struct http_request *request,
                           struct http_response *response)
{
    struct error error = {0};
    struct window window;
    json_t *body = read_body(request, response);
    if (body == NULL) {
        return;
    }
    struct walltime now = request->now.wall;
    if (!window_request_new(body, agent_settings(agent), now, &window, &error)) {
        http_respond_problem(response, 400, "%s", error.message);
    } else if (core_windows(agent_core(agent))->count >= WINDOWS_MAXIMUM) {
        http_respond_problem(response, 409, "there are %d windows already", WINDOWS_MAXIMUM);
    } else {
        name_window(&window);
        put_window(agent, &window, now, 201, response);
    }
    json_decref(body);
}

// A copy of the window that the path names, and the body of the request, for the caller to free;
// NULL with the answer.
static json_t *take_window(const struct agent *agent, const struct http_request *request,
                           struct window *out, struct http_response *response)
{
    const char *id = request->path + strlen("/api/v1/maintenance/");
    const struct window *known = windows_find(core_windows(agent_core(agent)), id);
    if (known == NULL) {
        http_respond_problem(response, 404, "there is no window with this id (any more)");
        return NULL;
    }
    *out = *known;
    return read_body(request, response);
}

void api_change_maintenance(struct agent *agent, const struct http_request *request,
                            struct http_response *response)
{
    struct error error = {0};
    struct window window;
    json_t *body = take_window(agent, request, &window, response);
    if (body == NULL) {
        return;
    }
    if (window_request_change(body, agent_settings(agent), request->now.wall, &window, &error)) {
        put_window(agent, &window, request->now.wall, 200, response);
    } else {
        http_respond_problem(response, 400, "%s", error.message);
    }
    json_decref(body);
}

void api_end_maintenance(struct agent *agent, const struct http_request *request,
                         struct http_response *response)
{
    struct error error = {0};
    struct window window;
    json_t *body = take_window(agent, request, &window, response);
    if (body == NULL) {
        return;
    }
    if (!window_request_asker(body, agent_settings(agent), &window, &error)) {
        http_respond_problem(response, 400, "%s", error.message);
    } else if (!window_request_end(request->now.wall, &window, &error)) {
        http_respond_problem(response, 409, "%s", error.message);
    } else {
        put_window(agent, &window, request->now.wall, 200, response);
    }
    json_decref(body);
}

// ---- reload ----

static void refuse_reload(const struct config_problems *problems, struct http_response *response)
{
    json_t *problem = http_problem(422, "the configuration has errors, so the old one stays");
    json_t *list = memory_checked(json_array());
    json_write_object(problem, "problems", list);
    for (size_t i = 0; i < problems->count; i++) {
        char line[sizeof problems->items[i]];
        struct text text = TEXT_OVER(line);
        config_problem_format(&problems->items[i], &text);
        json_array_append_new(list, api_json_text(line));
    }
    http_respond_problem_object(response, problem);
}

void api_reload(struct agent *agent, const struct http_request *request,
                struct http_response *response)
{
    struct config_problems problems = {0};
    (void)request;
    if (!agent_reload(agent, &problems)) {
        refuse_reload(&problems, response);
        return;
    }
    json_t *object = memory_checked(json_object());
    json_write_boolean(object, "reloaded", true);
    http_respond_json(response, 200, object);
}
