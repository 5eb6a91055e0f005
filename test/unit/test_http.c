// The HTTP side end to end: real sockets in a real loop, a client of raw bytes, the agent a
// fixture.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "base/clock.h"
#include "metrics_check.h"
#include "shell/http.h"
#include "shell/http_message.h"

#define PATIENCE SPAN_SECONDS(10)

static const char METRICS[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

// One agent that listens on a TCP address and a control socket.
struct house {
    uv_loop_t loop;
    struct agent *agent;
    struct http *http;
    unsigned port;
    char address[32];
    char control[96];
};

// ---- the house ----

// A port that was free a moment ago.
static unsigned free_port(int family)
{
    struct sockaddr_storage name = {.ss_family = (sa_family_t)family};
    socklen_t length =
        family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int descriptor = socket(family, SOCK_STREAM, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&name, length), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&name, &length), 0);
    close(descriptor);
    return ntohs(family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                    : ((struct sockaddr_in *)&name)->sin_port);
}

static struct settings *settings_for(const struct house *house, size_t peers,
                                     const char *const *listen, size_t count)
{
    return agent_fixture_settings(peers, house->agent->directory, listen, count);
}

static bool take_over(void *context, const struct settings *settings, struct error *error)
{
    return http_reconfigure(context, settings, error);
}

static struct house *open_house(size_t peers)
{
    struct error error = {0};
    struct house *house = calloc(1, sizeof *house);
    uv_loop_init(&house->loop);
    house->agent = agent_fixture_create(peers);
    house->port = free_port(AF_INET);
    snprintf(house->address, sizeof house->address, "127.0.0.1:%u", house->port);
    snprintf(house->control, sizeof house->control, "%s/control.sock", house->agent->directory);
    const char *listen[] = {house->address};
    struct settings *settings = settings_for(house, peers, listen, 1);
    house->http = http_create(&house->loop, settings, house->agent, &error);
    assert_string_equal(error.message, "");
    assert_non_null(house->http);
    arena_destroy(settings->arena);
    house->agent->listener = (struct agent_listener){take_over, house->http};
    return house;
}

static int setup(void **state)
{
    *state = open_house(2);
    return 0;
}

static int close_house(void **state)
{
    struct house *house = *state;
    http_destroy(house->http);
    uv_run(&house->loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&house->loop);
    int there = access(house->control, F_OK);
    agent_fixture_destroy(house->agent);
    free(house);
    return left == 0 && there != 0 ? 0 : -1;
}

// ---- a client ----

static int connect_to(int family, const void *name, socklen_t length)
{
    int descriptor = socket(family, SOCK_STREAM, 0);
    assert_int_equal(connect(descriptor, name, length), 0);
    return descriptor;
}

static int call(const struct house *house)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)house->port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect_to(AF_INET, &name, sizeof name);
}

static int call_control(const struct house *house)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, house->control);
    return connect_to(AF_UNIX, &name, sizeof name);
}

static void say(int descriptor, const char *bytes, size_t count)
{
    assert_int_equal(send(descriptor, bytes, count, MSG_NOSIGNAL), count);
}

// What came back; from malloc, with a NUL behind it.
struct reply {
    char *bytes;
    size_t length;
    bool ended; // by the other side
};

static bool more_to_read(int descriptor)
{
    struct pollfd one = {.fd = descriptor, .events = POLLIN};
    return poll(&one, 1, 1) > 0;
}

static void read_some(int descriptor, struct reply *reply)
{
    enum { STEP = 64 * 1024 };
    reply->bytes = realloc(reply->bytes, reply->length + STEP + 1);
    ssize_t count = recv(descriptor, reply->bytes + reply->length, STEP, MSG_DONTWAIT);
    reply->length += count > 0 ? (size_t)count : 0;
    reply->ended = count == 0 || (count < 0 && errno == ECONNRESET);
    reply->bytes[reply->length] = '\0';
}

// Runs the loop until the other side has ended the connection, or until `end` has come.
static struct reply listen_for(struct house *house, int descriptor, const char *end)
{
    struct reply reply = {.bytes = calloc(1, 1)};
    struct instant deadline = instant_add(clock_now().instant, PATIENCE);
    while (!reply.ended && (end == NULL || strstr(reply.bytes, end) == NULL)) {
        uv_run(&house->loop, UV_RUN_NOWAIT);
        if (more_to_read(descriptor)) {
            read_some(descriptor, &reply);
        }
        if (instant_reached(clock_now().instant, deadline)) {
            fail_msg("no answer in time; so far: %.300s", reply.bytes);
        }
    }
    return reply;
}

static struct reply exchange(struct house *house, int descriptor, const char *request)
{
    say(descriptor, request, strlen(request));
    struct reply reply = listen_for(house, descriptor, NULL);
    close(descriptor);
    return reply;
}

static struct reply ask(struct house *house, const char *method, const char *path,
                        const char *headers)
{
    char request[1024];
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
             method, path, headers);
    return exchange(house, call(house), request);
}

static struct reply write_control(struct house *house, const char *method, const char *path,
                                  const char *body)
{
    char request[1024];
    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
             method, path, strlen(body), body);
    return exchange(house, call_control(house), request);
}

static int status_of(const struct reply *reply)
{
    int status = 0;
    if (sscanf(reply->bytes, "HTTP/1.1 %d ", &status) != 1) {
        fail_msg("no status in: %.300s", reply->bytes);
    }
    return status;
}

static void assert_has(const struct reply *reply, const char *part)
{
    if (strstr(reply->bytes, part) == NULL) {
        fail_msg("%s is not in: %.1000s", part, reply->bytes);
    }
}

static const char *raw_body(const struct reply *reply)
{
    const char *end = strstr(reply->bytes, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

// The chunks (RFC 9112 section 7.1) joined, from malloc; NULL when the last one is missing.
static char *join_chunks(const struct reply *reply)
{
    char *joined = calloc(1, reply->length + 1);
    size_t length = 0;
    for (const char *at = raw_body(reply);;) {
        char *after;
        size_t count = strtoul(at, &after, 16);
        if (after == at || strncmp(after, "\r\n", 2) != 0) {
            free(joined);
            return NULL;
        }
        if (count == 0) {
            return joined;
        }
        memcpy(joined + length, after + 2, count);
        length += count;
        at = after + 2 + count + 2;
    }
}

static void assert_status(struct reply reply, int status)
{
    if (status_of(&reply) != status) {
        fail_msg("not %d: %.300s", status, reply.bytes);
    }
    free(reply.bytes);
}

// ---- answers ----

static void test_every_page_is_there(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *type;
    } PAGES[] = {
        {"/", 200, "text/html; charset=utf-8"},
        {"/metrics", 200, "text/plain; version=0.0.4; charset=utf-8"},
        {"/healthz", 200, "text/plain; charset=utf-8"},
        {"/readyz", 200, "text/plain; charset=utf-8"},
        {"/api/v1/version", 200, "application/json"},
        {"/api/v1/status", 200, "application/json"},
        {"/api/v1/paths", 200, "application/json"},
        {"/api/v1/probes", 200, "application/json"},
        {"/api/v1/probes?limit=5&verdict=late&path=mx01-%3Emx02", 200, "application/json"},
        {"/api/v1/probes?limit=0", 400, "application/problem+json"},
        {"/api/v1/incidents", 200, "application/json"},
        {"/api/v1/maintenance", 200, "application/json"},
        {"/api/v1/latency?path=mx02-%3Emx01&range=7d", 200, "application/json"},
        {"/api/v1/latency?path=mx02-%3Emx01&range=2y", 400, "application/problem+json"},
        {"/path?name=mx02-%3Emx01", 200, "text/html; charset=utf-8"},
        {"/path?name=mx09-%3Emx01", 404, "text/html; charset=utf-8"},
        {"/path", 404, "text/html; charset=utf-8"},
        {"/probe?id=AAAAAAAAAAAAAAAAAAAAAAAAAA", 404, "text/html; charset=utf-8"},
        {"/probe?id=%3Cb%3E", 400, "text/html; charset=utf-8"},
        {"/assets/nothing.js", 404, "application/problem+json"},
        {"/nowhere", 404, "application/problem+json"},
        {"//", 404, "application/problem+json"},
        {"/metrics/", 404, "application/problem+json"},
    };
    for (size_t i = 0; i < sizeof PAGES / sizeof PAGES[0]; i++) {
        char type[96];
        struct reply reply = ask(*state, "GET", PAGES[i].path, "");
        snprintf(type, sizeof type, "\r\nContent-Type: %s\r\n", PAGES[i].type);
        assert_has(&reply, type);
        assert_has(&reply, "\r\nX-Content-Type-Options: nosniff\r\n");
        assert_has(&reply, "\r\nCache-Control: no-store\r\n");
        assert_has(&reply, "\r\nReferrer-Policy: no-referrer\r\n");
        assert_has(&reply, "\r\nContent-Security-Policy: default-src 'none'; ");
        assert_status(reply, PAGES[i].status);
    }
}

// Compressed for those who can take it, and asked for anew in vain while it is the same.
static void test_assets_are_kept(void **state)
{
    static const struct {
        const char *name;
        const char *type;
        const char *begins;
    } FILES[] = {
        {"page.css", "text/css; charset=utf-8", ":root {"},
        {"page.js", "text/javascript; charset=utf-8", "// Keeps a view"},
        {"path.js", "text/javascript; charset=utf-8", "// Draws a path"},
        {"chart.js", "text/javascript; charset=utf-8", "/*!\n * Chart.js"},
        {"icon.svg", "image/svg+xml", "<svg "},
    };
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        char path[64], type[96], version[64], again[128];
        snprintf(path, sizeof path, "/assets/%s", FILES[i].name);
        snprintf(type, sizeof type, "\r\nContent-Type: %s\r\n", FILES[i].type);
        struct reply reply = ask(*state, "GET", path, "");
        assert_has(&reply, type);
        assert_has(&reply, "\r\nCache-Control: no-cache\r\n");
        assert_has(&reply, "\r\nVary: Accept-Encoding\r\n");
        assert_null(strstr(reply.bytes, "Content-Encoding"));
        assert_memory_equal(raw_body(&reply), FILES[i].begins, strlen(FILES[i].begins));
        const char *etag = strstr(reply.bytes, "ETag: ") + strlen("ETag: ");
        snprintf(version, sizeof version, "%.*s", (int)strcspn(etag, "\r"), etag);
        assert_status(reply, 200);
        snprintf(again, sizeof again, "If-None-Match: \"other\", %s\r\n", version);
        reply = ask(*state, "GET", path, again);
        assert_string_equal(raw_body(&reply), "");
        assert_status(reply, 304);
        reply = ask(*state, "GET", path, "Accept-Encoding: br, gzip\r\n");
        assert_has(&reply, "\r\nContent-Encoding: gzip\r\n");
        assert_null(strstr(reply.bytes, version));
        assert_memory_equal(raw_body(&reply), "\x1f\x8b", 2);
        assert_status(reply, 200);
    }
}

static void test_head_has_the_headers_only(void **state)
{
    static const char *const PATHS[] = {
        "/", "/metrics", "/healthz", "/api/v1/probes", "/api/v1/paths", "/nowhere"};
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        struct reply whole = ask(*state, "GET", PATHS[i], "");
        struct reply head = ask(*state, "HEAD", PATHS[i], "");
        assert_string_equal(raw_body(&head), "");
        assert_int_equal(status_of(&head), status_of(&whole));
        char *type = strstr(head.bytes, "Content-Type:");
        *strstr(type, "\r\n") = '\0';
        assert_has(&whole, type);
        free(whole.bytes);
        free(head.bytes);
    }
}

static void test_metrics_satisfy_a_strict_reader(void **state)
{
    static const char *const ACCEPTS[] = {
        "Accept: text/plain\r\n", "Accept: application/openmetrics-text; version=1.0.0\r\n"};
    for (int open = 0; open < 2; open++) {
        struct error error = {0};
        struct reply reply = ask(*state, "GET", "/metrics", ACCEPTS[open]);
        char *body = join_chunks(&reply);
        assert_non_null(body);
        metrics_check(body, open == 1, &error);
        assert_string_equal(error.message, "");
        assert_has(&reply, open == 1 ? "application/openmetrics-text; version=1.0.0"
                                     : "text/plain; version=0.0.4");
        free(body);
        free(reply.bytes);
    }
}

static void test_large_answers_come_whole(void **state)
{
    (void)state;
    void *place = open_house(300);
    struct error error = {0};
    struct reply reply = ask(place, "GET", "/metrics", "");
    char *body = join_chunks(&reply);
    assert_non_null(body);
    assert_true(strlen(body) > 1000000);
    metrics_check(body, false, &error);
    assert_string_equal(error.message, "");
    free(body);
    free(reply.bytes);
    assert_int_equal(close_house(&place), 0);
}

static void test_connection_serves_many_requests(void **state)
{
    int descriptor = call(*state);
    for (int i = 0; i < 3; i++) {
        static const char REQUEST[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        say(descriptor, REQUEST, strlen(REQUEST));
        struct reply reply = listen_for(*state, descriptor, "\r\n\r\nok\n");
        assert_false(reply.ended);
        assert_status(reply, 200);
    }
    close(descriptor);
}

// ---- refusals ----

static void test_tcp_only_reads(void **state)
{
    struct house *house = *state;
    struct reply put = ask(house, "PUT", "/api/v1/probes", "");
    assert_has(&put, "\r\nAllow: GET, HEAD, POST\r\n");
    assert_status(put, 405);
    struct reply post = ask(house, "POST", "/metrics", "Content-Length: 0\r\n");
    assert_has(&post, "\r\nAllow: GET, HEAD\r\n");
    assert_status(post, 405);
    assert_status(ask(house, "OPTIONS", "/", ""), 405);
    assert_status(ask(house, "POST", "/api/v1/maintenance", "Content-Length: 0\r\n"), 403);
    assert_status(ask(house, "POST", "/api/v1/reload", "Content-Length: 0\r\n"), 403);
    assert_status(ask(house, "DELETE", "/api/v1/maintenance/w-1", ""), 403);
    struct reply body = exchange(house, call(house),
                                 "POST /api/v1/probes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "Content-Length: 15\r\n\r\n{\"peer\":\"mx02\"}");
    assert_has(&body, "\"detail\":\"changes are made over the control socket only (mailflowctl)\"");
    assert_status(body, 403);
    assert_int_equal(core_windows(house->agent->core)->count, 0);
}

static void test_too_large_is_refused(void **state)
{
    struct house *house = *state;
    char request[41000];
    assert_status(ask(house, "POST", "/api/v1/probes", "Content-Length: 65537\r\n"), 413);
    assert_status(
        ask(house, "POST", "/api/v1/probes", "Content-Length: 99999999999999999999999\r\n"), 413);
    assert_status(ask(house, "POST", "/api/v1/probes", "Transfer-Encoding: chunked\r\n"), 411);
    struct reply control = exchange(house, call_control(house),
                                    "POST /api/v1/maintenance HTTP/1.1\r\nHost: x\r\n"
                                    "Content-Length: 65537\r\n\r\n");
    assert_has(&control, "a body of 65537 bytes is larger than 65536");
    assert_status(control, 413);
    strcpy(request, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    memset(request + strlen(request), 'x', 40000);
    strcpy(request + 40000, "\r\n\r\n");
    assert_status(exchange(house, call(house), request), 431);
}

static void test_garbage_is_refused(void **state)
{
    static const char *const GARBAGE[] = {
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET /%00%ff%zz?%00=%=&&&=a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof GARBAGE / sizeof GARBAGE[0]; i++) {
        int descriptor = call(*state);
        say(descriptor, GARBAGE[i], strlen(GARBAGE[i]));
        for (int turn = 0; turn < 4; turn++) {
            uv_run(&((struct house *)*state)->loop, UV_RUN_NOWAIT);
        }
        shutdown(descriptor, SHUT_WR);
        free(listen_for(*state, descriptor, NULL).bytes);
        close(descriptor);
    }
    assert_status(ask(*state, "GET", "/healthz", ""), 200);
}

static void test_many_arguments_are_bounded(void **state)
{
    char path[900] = "/api/v1/probes?";
    for (int i = 0; i < 100; i++) {
        strcat(path, "limit=1&");
    }
    assert_status(ask(*state, "GET", path, ""), 200);
}

// ---- those who hold places ----

enum { CROWD = 150 };

static void test_slow_clients_lock_nobody_out(void **state)
{
    struct house *house = *state;
    int crowd[CROWD];
    for (int i = 0; i < CROWD; i++) {
        static const char BEGUN[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ";
        crowd[i] = call(house);
        say(crowd[i], BEGUN, strlen(BEGUN));
        uv_run(&house->loop, UV_RUN_NOWAIT);
    }
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < CROWD; i++) {
            send(crowd[i], "x", 1, MSG_NOSIGNAL);
        }
        struct instant before = clock_now().instant;
        assert_status(ask(house, "GET", "/healthz", ""), 200);
        assert_true(instant_since(clock_now().instant, before).ns < SPAN_SECONDS(1).ns);
    }
    struct reply last = exchange(house, crowd[CROWD - 1], "\r\nConnection: close\r\n\r\n");
    assert_status(last, 200);
    for (int i = 0; i < CROWD - 1; i++) {
        close(crowd[i]);
    }
}

// Whoever asks and does not read must not hold up the others, nor grow memory.
static void test_clients_that_do_not_read(void **state)
{
    (void)state;
    struct house *house = open_house(100);
    void *place = house;
    int deaf[20];
    for (int i = 0; i < 20; i++) {
        deaf[i] = call(house);
        say(deaf[i], METRICS, strlen(METRICS));
    }
    assert_status(ask(house, "GET", "/healthz", ""), 200);
    struct reply reply = ask(house, "GET", "/metrics", "");
    char *body = join_chunks(&reply);
    assert_non_null(body);
    free(body);
    free(reply.bytes);
    for (int i = 0; i < 20; i++) {
        close(deaf[i]);
    }
    assert_int_equal(close_house(&place), 0);
}

static void test_clients_that_go_away(void **state)
{
    for (int i = 0; i < 20; i++) {
        struct linger at_once = {1, 0};
        int descriptor = call(*state);
        say(descriptor, METRICS, (size_t)i * strlen(METRICS) / 19);
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(descriptor);
    }
    assert_status(ask(*state, "GET", "/healthz", ""), 200);
}

// ---- the control socket ----

static void test_control_socket_writes(void **state)
{
    struct house *house = *state;
    struct stat made;
    assert_int_equal(stat(house->control, &made), 0);
    assert_int_equal(made.st_mode, S_IFSOCK | 0660);
    struct reply begun = write_control(house, "POST", "/api/v1/maintenance",
                                       "{\"server\":\"mx02\",\"reason\":\"kernel\"}");
    assert_has(&begun, "\"revision\":1,\"server\":\"mx02\",\"kind\":\"routine\"");
    char path[64] = "/api/v1/maintenance/";
    strncat(path, strstr(begun.bytes, "\"id\":\"") + 6, 12);
    assert_status(begun, 201);
    assert_status(write_control(house, "PATCH", path, "{\"extend_seconds\":60}"), 200);
    struct reply ended = write_control(house, "DELETE", path, "");
    assert_has(&ended, "\"revision\":3");
    assert_status(ended, 200);
    assert_status(write_control(house, "DELETE", path, ""), 409);
    assert_status(write_control(house, "POST", "/api/v1/probes", "{\"peer\":\"mx03\"}"), 202);
    assert_status(write_control(house, "GET", "/api/v1/status", ""), 200);
    assert_status(write_control(house, "POST", "/api/v1/reload", ""), 422);
}

static void test_body_in_small_parts(void **state)
{
    struct house *house = *state;
    static const char HEAD[] = "POST /api/v1/probes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                               "Expect: 100-continue\r\nContent-Length: 15\r\n\r\n";
    static const char BODY[] = "{\"peer\":\"mx02\"}";
    int descriptor = call_control(house);
    say(descriptor, HEAD, strlen(HEAD));
    free(listen_for(house, descriptor, "100 Continue\r\n\r\n").bytes);
    for (size_t i = 0; i < strlen(BODY) - 1; i++) {
        say(descriptor, BODY + i, 1);
        uv_run(&house->loop, UV_RUN_NOWAIT);
    }
    assert_status(exchange(house, descriptor, "}"), 202);
}

static void test_large_body_is_read(void **state)
{
    char *request = calloc(1, HTTP_BODY_MAXIMUM + 256);
    int length = sprintf(request,
                         "POST /api/v1/probes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                         "Content-Length: %d\r\n\r\n",
                         HTTP_BODY_MAXIMUM);
    memset(request + length, '[', HTTP_BODY_MAXIMUM);
    struct reply reply = exchange(*state, call_control(*state), request);
    assert_has(&reply, "the body is no request: line of 65536 bytes is longer than 8192");
    assert_status(reply, 400);
    free(request);
}

// ---- addresses ----

static void test_used_port_is_explained(void **state)
{
    struct house *house = *state;
    struct error error = {0};
    char expected[64];
    const char *listen[] = {house->address};
    struct settings *settings = settings_for(house, 0, listen, 1);
    assert_null(http_create(&house->loop, settings, house->agent, &error));
    snprintf(expected, sizeof expected, "127.0.0.1:%u: address already in use: another program",
             house->port);
    assert_memory_equal(error.message, expected, strlen(expected));
    arena_destroy(settings->arena);
    assert_status(ask(house, "GET", "/healthz", ""), 200);
    assert_int_equal(access(house->control, F_OK), 0);
}

static void test_own_port_is_explained_otherwise(void **state)
{
    struct house *house = *state;
    struct error error = {0};
    char all[32], expected[256];
    snprintf(all, sizeof all, "0.0.0.0:%u", house->port);
    const char *listen[] = {all};
    struct settings *settings = settings_for(house, 0, listen, 1);
    assert_false(http_reconfigure(house->http, settings, &error));
    snprintf(expected, sizeof expected,
             "%s: this agent itself listens on %s, so that this change takes a restart", all,
             house->address);
    assert_string_equal(error.message, expected);
    arena_destroy(settings->arena);
    assert_status(ask(house, "GET", "/healthz", ""), 200);
}

static void test_ipv6(void **state)
{
    struct house *house = *state;
    struct error error = {0};
    char six[32];
    unsigned port = free_port(AF_INET6);
    snprintf(six, sizeof six, "[::1]:%u", port);
    const char *listen[] = {house->address, six};
    struct settings *settings = settings_for(house, 2, listen, 2);
    assert_true(http_reconfigure(house->http, settings, &error));
    struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    name.sin6_addr = in6addr_loopback;
    int descriptor = connect_to(AF_INET6, &name, sizeof name);
    struct reply reply = exchange(house, descriptor,
                                  "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_status(reply, 200);
    arena_destroy(settings->arena);
}

static void run_for(struct house *house, struct span length)
{
    struct instant end = instant_add(clock_now().instant, length);
    while (!instant_reached(clock_now().instant, end)) {
        uv_run(&house->loop, UV_RUN_NOWAIT);
    }
}

// A listener that went has closed its socket once: whoever has that number now keeps it.
static void test_descriptors_of_others_survive_a_listener(void **state)
{
    struct house *house = *state;
    struct error error = {0};
    char second[32];
    snprintf(second, sizeof second, "127.0.0.1:%u", free_port(AF_INET));
    const char *both[] = {house->address, second};
    struct settings *settings = settings_for(house, 2, both, 2);
    assert_true(http_reconfigure(house->http, settings, &error));
    struct settings *one = settings_for(house, 3, both, 1);
    assert_true(http_reconfigure(house->http, one, &error));
    run_for(house, SPAN_MS(100)); // its socket is closed, its grace goes on
    int others[64];
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        others[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    run_for(house, SPAN_MS(1500));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(close(others[i]), 0);
    }
    arena_destroy(settings->arena);
    arena_destroy(one->arena);
}

static bool refused(const struct house *house)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)house->port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    bool failed = connect(descriptor, (struct sockaddr *)&name, sizeof name) != 0;
    close(descriptor);
    return failed;
}

static void wait_until_refused(struct house *house)
{
    struct instant deadline = instant_add(clock_now().instant, PATIENCE);
    while (!refused(house)) {
        uv_run(&house->loop, UV_RUN_NOWAIT);
        assert_false(instant_reached(clock_now().instant, deadline));
    }
}

// The answer to the reload itself still goes out, and so does one that a client waits for on a
// listener that goes.
static void test_reload_over_http_moves_the_listener(void **state)
{
    struct house *house = *state;
    int waiting = call(house);
    say(waiting, "GET /healthz HTTP/1.1\r\n", 23);
    uv_run(&house->loop, UV_RUN_NOWAIT);

    char other[32];
    unsigned port = free_port(AF_INET);
    snprintf(other, sizeof other, "127.0.0.1:%u", port);
    const char *listen[] = {other};
    house->agent->next = settings_for(house, 1, listen, 1);
    struct reply reply = write_control(house, "POST", "/api/v1/reload", "");
    assert_has(&reply, "{\"reloaded\":true}");
    assert_status(reply, 200);
    wait_until_refused(house);
    assert_status(exchange(house, waiting, "Host: x\r\nConnection: close\r\n\r\n"), 200);
    house->port = port;
    assert_status(ask(house, "GET", "/healthz", ""), 200);
    assert_status(write_control(house, "GET", "/healthz", ""), 200);
}

static void test_refused_reload_changes_nothing(void **state)
{
    struct house *house = *state;
    struct error error = {0};
    int blocker = call(house); // somebody is connected all the time
    char good[32];
    unsigned port = free_port(AF_INET);
    snprintf(good, sizeof good, "127.0.0.1:%u", port);
    const char *listen[] = {good, "192.0.2.1:9925"};
    struct settings *settings = settings_for(house, 1, listen, 2);
    assert_false(http_reconfigure(house->http, settings, &error));
    assert_string_equal(error.message,
                        "192.0.2.1:9925: no network interface of this machine has this address");
    arena_destroy(settings->arena);
    assert_status(ask(house, "GET", "/healthz", ""), 200);
    assert_status(
        exchange(house, blocker, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        200);
    struct house gone = {.loop = house->loop, .port = port};
    struct instant deadline = instant_add(clock_now().instant, PATIENCE);
    while (!refused(&gone)) {
        uv_run(&house->loop, UV_RUN_NOWAIT);
        assert_false(instant_reached(clock_now().instant, deadline));
    }
}

// A streamed answer never mixes two configurations: it ends short, and the client can tell.
static void test_reload_ends_streams_short(void **state)
{
    (void)state;
    struct house *house = open_house(300);
    void *place = house;
    int descriptor = call(house);
    int small = 4096;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(descriptor, METRICS, strlen(METRICS));
    struct reply begun = listen_for(house, descriptor, "mailflow_probes_sent_total");
    const char *listen[] = {house->address};
    house->agent->next = settings_for(house, 3, listen, 1);
    assert_status(write_control(house, "POST", "/api/v1/reload", ""), 200);
    struct reply rest = listen_for(house, descriptor, NULL);
    assert_null(strstr(rest.bytes, "process_start_time_seconds"));
    assert_string_not_equal(rest.bytes + rest.length - 5, "0\r\n\r\n");
    close(descriptor);
    free(begun.bytes);
    free(rest.bytes);
    assert_status(ask(house, "GET", "/metrics", ""), 200);
    assert_int_equal(close_house(&place), 0);
}

static void test_destroyed_under_load(void **state)
{
    (void)state;
    struct house *house = open_house(100);
    void *place = house;
    int callers[10];
    for (int i = 0; i < 10; i++) {
        callers[i] = call(house);
        say(callers[i], METRICS, i == 0 ? 10 : strlen(METRICS));
        uv_run(&house->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(close_house(&place), 0);
    for (int i = 0; i < 10; i++) {
        close(callers[i]);
    }
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, setup, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_every_page_is_there),
        IN_HOUSE(test_assets_are_kept),
        IN_HOUSE(test_head_has_the_headers_only),
        IN_HOUSE(test_metrics_satisfy_a_strict_reader),
        cmocka_unit_test(test_large_answers_come_whole),
        IN_HOUSE(test_connection_serves_many_requests),
        IN_HOUSE(test_tcp_only_reads),
        IN_HOUSE(test_too_large_is_refused),
        IN_HOUSE(test_garbage_is_refused),
        IN_HOUSE(test_many_arguments_are_bounded),
        IN_HOUSE(test_slow_clients_lock_nobody_out),
        cmocka_unit_test(test_clients_that_do_not_read),
        IN_HOUSE(test_clients_that_go_away),
        IN_HOUSE(test_control_socket_writes),
        IN_HOUSE(test_body_in_small_parts),
        IN_HOUSE(test_large_body_is_read),
        IN_HOUSE(test_used_port_is_explained),
        IN_HOUSE(test_own_port_is_explained_otherwise),
        IN_HOUSE(test_ipv6),
        IN_HOUSE(test_descriptors_of_others_survive_a_listener),
        IN_HOUSE(test_reload_over_http_moves_the_listener),
        IN_HOUSE(test_refused_reload_changes_nothing),
        cmocka_unit_test(test_reload_ends_streams_short),
        cmocka_unit_test(test_destroyed_under_load),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
