#include "shell/http.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "shell/http_carrier.h"
#include "shell/http_message.h"
#include "shell/http_socket.h"
#include "shell/routes.h"
#include "shell/visitors.h"

enum {
    CONNECTIONS_MAXIMUM = 128,
    CONNECTIONS_ROOM = CONNECTIONS_MAXIMUM * 3 / 4, // above it the useless are shown out
    CONNECTION_MEMORY = 32 * 1024,
    IDLE_SECONDS = 15,
    LISTENER_HANDLES = 2, // poll, timer
};
#define USELESS_MAXIMUM SPAN_MINUTES(1)
#define LEAVING_GRACE   SPAN_SECONDS(1) // for the answers under way of a listener that goes
#define LOG_PAUSE       SPAN_MINUTES(1)

struct listener {
    struct listener *next;
    struct http *http;
    char address[256];
    bool control;
    struct http_socket_file file; // of the control socket
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned open_handles;
    struct visitors visitors;
    struct instant ends; // when the daemon is stopped; INSTANT_NEVER while it is wanted
    bool unwanted;
};

struct http {
    uv_loop_t *loop;
    struct agent *agent;
    struct listener *listeners;
    unsigned generation; // of the settings
    bool ending;
    struct instant logged;
    unsigned unlogged;
};

// ---- the library's own log: one line a minute ----

static void on_log(void *context, const char *format, va_list arguments)
{
    struct http *http = context;
    struct instant now = clock_now().instant;
    if (http->logged.ns != 0 && instant_since(now, http->logged).ns < LOG_PAUSE.ns) {
        http->unlogged++;
        return;
    }
    char line[256];
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    fprintf(stderr, "mailflowd: http: %s (%u like it not shown)\n", line, http->unlogged);
    http->logged = now;
    http->unlogged = 0;
}

// ---- streamed answers ----

static ssize_t on_read(void *context, uint64_t position, char *out, size_t room)
{
    (void)position;
    ssize_t count = http_carrier_read(context, out, room);
    return count > 0    ? count
           : count == 0 ? MHD_CONTENT_READER_END_OF_STREAM
                        : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void on_read_end(void *context)
{
    http_carrier_destroy(context);
}

static struct MHD_Response *carry(struct http *http, const struct http_stream *stream)
{
    struct http_carrier *carrier = http_carrier_create(stream, &http->generation);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, CONNECTION_MEMORY, on_read, carrier,
                                             on_read_end);
}

// ---- one request ----

// A request while it comes in.
struct incoming {
    char *body; // NULL when it is not wanted
    size_t room;
    size_t length;
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static struct visitor *visitor_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

// Hands the response over to the library, which gives back what it owns.
static enum MHD_Result send_response(struct listener *listener, struct MHD_Connection *connection,
                                     const struct http_response *response)
{
    struct MHD_Response *out =
        response->stream.next != NULL
            ? carry(listener->http, &response->stream)
            : MHD_create_response_from_buffer(response->length, memory_checked(response->body),
                                              MHD_RESPMEM_MUST_FREE);
    memory_checked(out);
    MHD_add_response_header(out, "Content-Type", response->content_type);
    MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(out, "Cache-Control", "no-store");
    MHD_add_response_header(out, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(out, "Content-Security-Policy",
                            response->content_security_policy != NULL
                                ? response->content_security_policy
                                : "default-src 'none'; frame-ancestors 'none'");
    if (response->allow[0] != '\0') {
        MHD_add_response_header(out, "Allow", response->allow);
    }
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)response->status, out);
    MHD_destroy_response(out);
    visitors_useful(&listener->visitors, visitor_of(connection), clock_now().instant);
    return queued;
}

static enum MHD_Result on_argument(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct http_request *request = context;
    (void)kind;
    request->arguments[request->argument_count++] =
        (struct http_argument){name, value == NULL ? "" : value};
    return request->argument_count < HTTP_ARGUMENTS_MAXIMUM ? MHD_YES : MHD_NO;
}

static enum MHD_Result answer(struct listener *listener, struct MHD_Connection *connection,
                              const char *path, const char *method, const struct incoming *incoming)
{
    const char *accept = header(connection, "Accept");
    struct http_request request = {
        .method = http_method_parse(method),
        .path = path,
        .accept = accept == NULL ? "" : accept,
        .body = incoming->body == NULL ? "" : incoming->body,
        .body_length = incoming->length,
        .may_write = listener->control,
        .now = clock_now(),
    };
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, on_argument, &request);
    struct http_response response = {0};
    routes_answer(listener->http->agent, &request, &response);
    return send_response(listener, connection, &response);
}

// Makes room for the body that is announced; false with the answer when it is not wanted.
static bool expect(struct listener *listener, struct MHD_Connection *connection,
                   struct incoming *incoming, struct http_response *refusal)
{
    const char *length = header(connection, "Content-Length");
    if (header(connection, "Transfer-Encoding") != NULL) {
        http_respond_problem(refusal, 411, "say the length of the body in Content-Length");
        return false;
    }
    uintmax_t expected = length == NULL ? 0 : strtoumax(length, NULL, 10);
    if (expected > HTTP_BODY_MAXIMUM) {
        http_respond_problem(refusal, 413, "a body of %ju bytes is larger than %d", expected,
                             HTTP_BODY_MAXIMUM);
        return false;
    }
    if (expected > 0 && listener->control) {
        incoming->body = memory_checked(malloc(expected));
        incoming->room = expected;
    }
    return true;
}

// The library calls once with the headers, then with every part of the body, then once more. What a
// TCP client sends is read, so that it gets to see the refusal, and dropped.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state)
{
    struct listener *listener = context;
    struct incoming *incoming = *state;
    (void)version;
    if (incoming == NULL) {
        struct http_response refusal = {0};
        *state = incoming = memory_checked(calloc(1, sizeof *incoming));
        return expect(listener, connection, incoming, &refusal)
                   ? MHD_YES
                   : send_response(listener, connection, &refusal);
    }
    if (*upload_size > 0) {
        if (*upload_size <= incoming->room - incoming->length) {
            memcpy(incoming->body + incoming->length, upload, *upload_size);
            incoming->length += *upload_size;
        }
        *upload_size = 0;
        return MHD_YES;
    }
    return answer(listener, connection, path, method, incoming);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
    struct listener *listener = context;
    struct incoming *incoming = *state;
    if (incoming != NULL) {
        free(incoming->body);
        free(incoming);
        *state = NULL;
    }
    if (how == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        visitors_useful(&listener->visitors, visitor_of(connection), clock_now().instant);
    }
}

static void on_connection(void *context, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode code)
{
    struct listener *listener = context;
    struct visitors *visitors = &listener->visitors;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        visitors_remove(visitors, *place);
        return;
    }
    struct instant now = clock_now().instant;
    struct instant since = {now.ns - USELESS_MAXIMUM.ns};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *place = visitors_add(visitors, info->connect_fd, now);
    visitors_show_out(visitors, CONNECTIONS_ROOM, since);
}

// ---- a listener in the loop ----

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    struct http *http = listener->http;
    if (--listener->open_handles > 0) {
        return;
    }
    struct listener **place = &http->listeners;
    while (*place != listener) {
        place = &(*place)->next;
    }
    *place = listener->next;
    free(listener);
    if (http->ending && http->listeners == NULL) {
        free(http);
    }
}

static void listener_stop(struct listener *listener)
{
    uv_close((uv_handle_t *)&listener->poll, on_closed);
    uv_close((uv_handle_t *)&listener->timer, on_closed);
    MHD_stop_daemon(listener->daemon);
}

// Nobody new gets in; the file of a control socket is gone.
static void listener_refuse(struct listener *listener)
{
    int descriptor = MHD_quiesce_daemon(listener->daemon);
    if (descriptor >= 0) {
        close(descriptor);
    }
    if (listener->control) {
        http_socket_remove_control(listener->address, &listener->file);
    }
}

static void on_timer(uv_timer_t *timer);

// Runs the library once more when it wants to, when a visitor has been useless for too long, and
// when the listener's time is up.
static void listener_wait(struct listener *listener, struct instant now)
{
    struct instant due = visitors_useless_since(&listener->visitors);
    due = instant_earlier(instant_add(due, USELESS_MAXIMUM), listener->ends);
    MHD_UNSIGNED_LONG_LONG wanted;
    if (MHD_get_timeout(listener->daemon, &wanted) == MHD_YES) {
        due = instant_earlier(due, instant_add(now, SPAN_MS(wanted)));
    }
    if (due.ns == INSTANT_NEVER.ns) {
        uv_timer_stop(&listener->timer);
        return;
    }
    int64_t ms = (instant_since(due, now).ns + 999999) / 1000000;
    uv_timer_start(&listener->timer, on_timer, ms < 0 ? 0 : (uint64_t)ms, 0);
}

static void listener_run(struct listener *listener)
{
    MHD_run(listener->daemon);
    struct instant now = clock_now().instant;
    struct instant since = {now.ns - USELESS_MAXIMUM.ns};
    visitors_show_out(&listener->visitors, CONNECTIONS_ROOM, since);
    if (listener->unwanted && listener->ends.ns == INSTANT_NEVER.ns) {
        listener->ends = instant_add(now, LEAVING_GRACE);
        listener_refuse(listener);
    }
    if (instant_reached(now, listener->ends)) {
        listener_stop(listener);
    } else {
        listener_wait(listener, now);
    }
}

static void on_timer(uv_timer_t *timer)
{
    listener_run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    listener_run(poll->data);
}

static bool listener_serve(struct listener *listener, int descriptor)
{
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, listener,
        MHD_OPTION_EXTERNAL_LOGGER, on_log, listener->http, MHD_OPTION_LISTEN_SOCKET, descriptor,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAXIMUM,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, listener, MHD_OPTION_END);
    return listener->daemon != NULL;
}

// Adds a listener; -1 as descriptor means that its socket could not be had.
static bool add_listener(struct http *http, const char *address, bool control, struct error *error)
{
    struct listener *listener = memory_checked(calloc(1, sizeof *listener));
    listener->http = http;
    listener->control = control;
    listener->ends = INSTANT_NEVER;
    visitors_begin(&listener->visitors);
    text_copy(listener->address, sizeof listener->address, address);
    int descriptor = control ? http_socket_open_control(address, &listener->file, error)
                             : http_socket_open(address, error);
    if (descriptor < 0) {
        free(listener);
        return false;
    }
    if (!listener_serve(listener, descriptor)) {
        error_set(error, "%s: cannot serve HTTP there (too many open files?)", address);
        close(descriptor);
        free(listener);
        return false;
    }
    int polled = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    uv_poll_init(http->loop, &listener->poll, polled);
    uv_timer_init(http->loop, &listener->timer);
    listener->poll.data = listener->timer.data = listener;
    listener->open_handles = LISTENER_HANDLES;
    uv_poll_start(&listener->poll, UV_READABLE, on_poll);
    listener->next = http->listeners;
    http->listeners = listener;
    return true;
}

// ---- all of them ----

// A listener that no settings want any more goes at its next run, never in the midst of one.
static void dismiss(struct listener *listener)
{
    listener->unwanted = true;
    uv_timer_start(&listener->timer, on_timer, 0, 0);
}

static struct listener *find(struct http *http, const char *address)
{
    struct listener *listener = http->listeners;
    while (listener != NULL && (listener->unwanted || strcmp(listener->address, address) != 0)) {
        listener = listener->next;
    }
    return listener;
}

static bool add_missing(struct http *http, const struct http_settings *settings,
                        struct error *error)
{
    bool added = true;
    for (size_t i = 0; added && i < settings->listen_count; i++) {
        added = find(http, settings->listen[i]) != NULL ||
                add_listener(http, settings->listen[i], false, error);
    }
    return added && (find(http, settings->control) != NULL ||
                     add_listener(http, settings->control, true, error));
}

static bool wanted(const struct http_settings *settings, const char *address)
{
    bool found = strcmp(settings->control, address) == 0;
    for (size_t i = 0; !found && i < settings->listen_count; i++) {
        found = strcmp(settings->listen[i], address) == 0;
    }
    return found;
}

bool http_reconfigure(struct http *http, const struct settings *settings, struct error *error)
{
    struct listener *before = http->listeners;
    if (!add_missing(http, &settings->http, error)) {
        for (struct listener *at = http->listeners; at != before; at = at->next) {
            dismiss(at);
        }
        return false;
    }
    for (struct listener *at = http->listeners; at != NULL; at = at->next) {
        if (!at->unwanted && !wanted(&settings->http, at->address)) {
            dismiss(at);
        }
    }
    http->generation++;
    return true;
}

struct http *http_create(uv_loop_t *loop, const struct settings *settings, struct agent *agent,
                         struct error *error)
{
    struct http *http = memory_checked(calloc(1, sizeof *http));
    http->loop = loop;
    http->agent = agent;
    if (!http_reconfigure(http, settings, error)) {
        http_destroy(http);
        return NULL;
    }
    return http;
}

void http_destroy(struct http *http)
{
    http->ending = true;
    if (http->listeners == NULL) {
        free(http);
        return;
    }
    for (struct listener *at = http->listeners; at != NULL; at = at->next) {
        if (!uv_is_closing((uv_handle_t *)&at->poll)) {
            listener_refuse(at);
            listener_stop(at);
        }
    }
}
