#include "shell/http_door.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "shell/bearer.h"
#include "shell/http_carrier.h"
#include "shell/http_message.h"
#include "probes/fetch.h"
#include "shell/routes.h"
#include "shell/visitors.h"

enum {
    CONNECTIONS_MAXIMUM = 128,
    CONNECTIONS_ROOM = CONNECTIONS_MAXIMUM * 3 / 4, // above it the useless are shown out
    CONNECTION_MEMORY = 32 * 1024,
    IDLE_SECONDS = 15,
};
#define LOG_PAUSE SPAN_MINUTES(1)

static const struct visitors_rules RULES = {
    .room = CONNECTIONS_ROOM,
    .share = CONNECTIONS_ROOM / 4,
    .new = SPAN_SECONDS(1),
    .useless = SPAN_MINUTES(1),
};

static const char TLS_PRIORITIES[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

struct http_door {
    struct http_door_rules rules;
    bool tls;
    struct MHD_Daemon *daemon;
    struct visitors visitors;
    bool shut; // its listening socket is closed
    struct instant logged;
    unsigned unlogged;
};

// ---- the library's own log: one line a minute, and not of what single clients do ----

static bool is_about_us(const char *format)
{
    static const char *const OURS[] = {"Error accepting", "Error allocating", "Call to epoll",
                                       "Hit process or system resource limit"};
    for (size_t i = 0; i < sizeof OURS / sizeof OURS[0]; i++) {
        if (strncmp(format, OURS[i], strlen(OURS[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void on_log(void *context, const char *format, va_list arguments)
{
    struct http_door *door = context;
    struct instant now = clock_now().instant;
    if (!is_about_us(format)) {
        return;
    }
    if (door->logged.ns != 0 && instant_since(now, door->logged).ns < LOG_PAUSE.ns) {
        door->unlogged++;
        return;
    }
    char line[256];
    vsnprintf(line, sizeof line, format, arguments);
    line[strcspn(line, "\n")] = '\0';
    fprintf(stderr, "mailflowd: http: %s (%u like it not shown)\n", line, door->unlogged);
    door->logged = now;
    door->unlogged = 0;
}

// ---- streamed answers ----

struct delivery {
    struct http_carrier *carrier;
    struct visitors *visitors;
    struct visitor *reader;
};

// Whoever reads on is of use, however long the answer is.
static ssize_t on_read(void *context, uint64_t position, char *out, size_t room)
{
    const struct delivery *delivery = context;
    (void)position;
    ssize_t count = http_carrier_read(delivery->carrier, out, room);
    visitors_useful(delivery->visitors, delivery->reader, clock_now().instant);
    return count > 0    ? count
           : count == 0 ? MHD_CONTENT_READER_END_OF_STREAM
                        : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void on_read_end(void *context)
{
    struct delivery *delivery = context;
    http_carrier_destroy(delivery->carrier);
    free(delivery);
}

// To HEAD the library would send the last chunk all the same (0.9.75), hence without chunks then.
static struct MHD_Response *carry(struct http_door *door, struct visitor *reader,
                                  const struct http_stream *stream, bool head)
{
    struct delivery *delivery = memory_checked(malloc(sizeof *delivery));
    *delivery = (struct delivery){
        .carrier = http_carrier_create(stream, agent_generation(door->rules.agent)),
        .visitors = &door->visitors,
        .reader = reader,
    };
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, CONNECTION_MEMORY, on_read, delivery, on_read_end);
    MHD_set_response_options(memory_checked(response),
                             head ? MHD_RF_HTTP_1_0_COMPATIBLE_STRICT : MHD_RF_NONE, MHD_RO_END);
    return response;
}

// ---- one request ----

// A request while it comes in.
struct incoming {
    bool may_write;
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

static struct MHD_Response *body_of(struct http_door *door, struct MHD_Connection *connection,
                                    const char *method, const struct http_response *response)
{
    if (response->stream.next != NULL) {
        bool head = strcmp(method, "HEAD") == 0;
        return carry(door, visitor_of(connection), &response->stream, head);
    }
    if (response->lasting != NULL) {
        return MHD_create_response_from_buffer(response->length, (void *)response->lasting,
                                               MHD_RESPMEM_PERSISTENT);
    }
    return MHD_create_response_from_buffer(response->length, memory_checked(response->body),
                                           MHD_RESPMEM_MUST_FREE);
}

// How long the answer may be kept, and as what.
static void add_version(struct MHD_Response *out, const struct http_response *response)
{
    MHD_add_response_header(out, "Cache-Control",
                            response->version == NULL ? "no-store" : "no-cache");
    if (response->version != NULL) {
        MHD_add_response_header(out, "ETag", response->version);
        MHD_add_response_header(out, "Vary", "Accept-Encoding");
    }
    if (response->encoding != NULL) {
        MHD_add_response_header(out, "Content-Encoding", response->encoding);
    }
}

// Hands the response over to the library, which gives back what it owns.
static enum MHD_Result send_response(struct http_door *door, struct MHD_Connection *connection,
                                     const char *method, const struct http_response *response)
{
    struct MHD_Response *out = memory_checked(body_of(door, connection, method, response));
    MHD_add_response_header(out, "Content-Type", response->content_type);
    MHD_add_response_header(out, "X-Content-Type-Options", "nosniff");
    add_version(out, response);
    MHD_add_response_header(out, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(out, "Content-Security-Policy",
                            response->content_security_policy != NULL
                                ? response->content_security_policy
                                : "default-src 'none'; frame-ancestors 'none'");
    if (response->allow[0] != '\0') {
        MHD_add_response_header(out, "Allow", response->allow);
    }
    if (response->last) {
        MHD_add_response_header(out, "Connection", "close");
    }
    if (response->status == 401) {
        MHD_add_response_header(out, "WWW-Authenticate", response->authenticate);
    }
    if (response->signature[0] != '\0') {
        MHD_add_response_header(out, FETCH_SIGNATURE_HEADER, response->signature);
    }
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)response->status, out);
    MHD_destroy_response(out);
    visitors_useful(&door->visitors, visitor_of(connection), clock_now().instant);
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

static enum MHD_Result answer(struct http_door *door, struct MHD_Connection *connection,
                              const char *path, const char *method, const struct incoming *incoming)
{
    const char *accept = header(connection, "Accept");
    const char *signature = header(connection, FETCH_SIGNATURE_HEADER);
    const char *encodings = header(connection, "Accept-Encoding");
    const char *known = header(connection, "If-None-Match");
    struct http_request request = {
        .method = http_method_parse(method),
        .path = path,
        .accept = accept == NULL ? "" : accept,
        .gzip = encodings != NULL && strstr(encodings, "gzip") != NULL,
        .known = known == NULL ? "" : known,
        .signature = signature == NULL ? "" : signature,
        .body = incoming->body == NULL ? "" : incoming->body,
        .body_length = incoming->length,
        .may_write = incoming->may_write,
        .token_wanted = door->tls && agent_settings(door->rules.agent)->http.token[0] != '\0',
        .now = clock_now(),
    };
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, on_argument, &request);
    struct http_response response = {0};
    routes_answer(door->rules.agent, &request, &response);
    return send_response(door, connection, method, &response);
}

// Over the control socket the file's permissions have decided, over TLS the token does.
static bool may_write(const struct http_door *door, struct MHD_Connection *connection)
{
    const char *authorization = header(connection, "Authorization");
    return door->rules.may_write ||
           (door->tls && authorization != NULL &&
            bearer_matches(authorization, agent_settings(door->rules.agent)->http.token));
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    unsigned *lengths = context;
    (void)kind, (void)value;
    *lengths += strcasecmp(name, "Content-Length") == 0;
    return MHD_YES;
}

// The library takes one of several lengths; who stands before us may have taken another, and what
// is a request to us was a part of somebody's body to him (RFC 9112 section 6.3).
static bool is_length_disputed(struct MHD_Connection *connection)
{
    unsigned lengths = 0;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, &lengths);
    return lengths > 1;
}

// Makes room for the body that is announced; false with the answer when it is not wanted.
static bool expect(struct MHD_Connection *connection, const char *path, struct incoming *incoming,
                   struct http_response *refusal)
{
    const char *length = header(connection, "Content-Length");
    if (header(connection, "Transfer-Encoding") != NULL) {
        http_respond_problem(refusal, 411, "say the length of the body in Content-Length");
        refusal->last = true;
        return false;
    }
    if (is_length_disputed(connection)) {
        http_respond_problem(refusal, 400, "say the length of the body once");
        refusal->last = true;
        return false;
    }
    uintmax_t expected = length == NULL ? 0 : strtoumax(length, NULL, 10);
    if (expected > HTTP_BODY_MAXIMUM) {
        http_respond_problem(refusal, 413, "a body of %ju bytes is larger than %d", expected,
                             HTTP_BODY_MAXIMUM);
        return false;
    }
    if (expected > 0 && (incoming->may_write || routes_take_signed(path))) {
        incoming->body = memory_checked(malloc(expected));
        incoming->room = expected;
    }
    return true;
}

// The library calls once with the headers, then with every part of the body, then once more. What
// nobody wants is read, so that the client gets to see the refusal, and dropped.
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **state)
{
    struct http_door *door = context;
    struct incoming *incoming = *state;
    (void)version;
    if (incoming == NULL) {
        struct http_response refusal = {0};
        *state = incoming = memory_checked(calloc(1, sizeof *incoming));
        incoming->may_write = may_write(door, connection);
        return expect(connection, path, incoming, &refusal)
                   ? MHD_YES
                   : send_response(door, connection, method, &refusal);
    }
    if (*upload_size > 0) {
        if (*upload_size <= incoming->room - incoming->length) {
            memcpy(incoming->body + incoming->length, upload, *upload_size);
            incoming->length += *upload_size;
        }
        *upload_size = 0;
        return MHD_YES;
    }
    return answer(door, connection, path, method, incoming);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how)
{
    struct http_door *door = context;
    struct incoming *incoming = *state;
    if (incoming != NULL) {
        free(incoming->body);
        free(incoming);
        *state = NULL;
    }
    if (how == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        visitors_useful(&door->visitors, visitor_of(connection), clock_now().instant);
    }
}

static void on_connection(void *context, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_door *door = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        visitors_remove(&door->visitors, *place);
        return;
    }
    struct instant now = clock_now().instant;
    int descriptor =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    *place = visitors_add(&door->visitors, descriptor, visitors_origin(address), now);
    visitors_show_out(&door->visitors, &RULES, now);
}

// ---- the door itself ----

struct http_door *http_door_open(int listening, const struct http_door_rules *rules)
{
    struct http_door *door = memory_checked(calloc(1, sizeof *door));
    door->rules = *rules;
    door->tls = rules->certificate[0] != '\0';
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)rules->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)rules->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    visitors_begin(&door->visitors);
    door->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG | (door->tls ? MHD_USE_TLS : 0u), 0, NULL, NULL,
        on_request, door, MHD_OPTION_EXTERNAL_LOGGER, on_log, door, MHD_OPTION_LISTEN_SOCKET,
        listening, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAXIMUM,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, door, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, door, MHD_OPTION_ARRAY, door->tls ? tls : &tls[3], MHD_OPTION_END);
    door->rules.certificate = door->rules.key = "";
    if (door->daemon == NULL) {
        free(door);
        return NULL;
    }
    return door;
}

int http_door_descriptor(const struct http_door *door)
{
    return MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_door_share(const struct http_door *door)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_LISTEN_FD);
    return fcntl(info->listen_fd, F_DUPFD_CLOEXEC, 0);
}

void http_door_run(struct http_door *door)
{
    MHD_run(door->daemon);
    visitors_show_out(&door->visitors, &RULES, clock_now().instant);
}

struct instant http_door_due(const struct http_door *door, struct instant now)
{
    struct instant due = instant_add(visitors_useless_since(&door->visitors), RULES.useless);
    MHD_UNSIGNED_LONG_LONG wanted;
    if (MHD_get_timeout(door->daemon, &wanted) == MHD_YES) {
        due = instant_earlier(due, instant_add(now, SPAN_MS(wanted)));
    }
    return due;
}

void http_door_shut(struct http_door *door)
{
    if (door->shut) {
        return;
    }
    door->shut = true;
    int listening = MHD_quiesce_daemon(door->daemon);
    if (listening >= 0) {
        close(listening);
    }
}

void http_door_close(struct http_door *door)
{
    http_door_shut(door);
    MHD_stop_daemon(door->daemon);
    free(door);
}
