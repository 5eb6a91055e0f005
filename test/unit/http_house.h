// What the tests of the HTTP server share: an agent that listens on TCP and on a control socket, in
// a loop that they turn, and clients of it.
#ifndef MAILFLOW_TEST_HTTP_HOUSE_H
#define MAILFLOW_TEST_HTTP_HOUSE_H

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

// A port that was free a moment ago.
static inline unsigned free_port(int family)
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

static inline struct settings *settings_for(const struct house *house, size_t peers,
                                            const char *const *listen, size_t count)
{
    return agent_fixture_settings(peers, house->agent->directory, listen, count);
}

static inline bool take_over(void *context, const struct settings *settings, struct error *error)
{
    return http_reconfigure(context, settings, error);
}

static inline struct house *open_house(size_t peers)
{
    struct error error = {0};
    struct house *house = calloc(1, sizeof *house);
    signal(SIGPIPE, SIG_IGN);
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

static inline int house_setup(void **state)
{
    *state = open_house(2);
    return 0;
}

static inline int close_house(void **state)
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

static inline int connect_to(int family, const void *name, socklen_t length)
{
    int descriptor = socket(family, SOCK_STREAM, 0);
    assert_int_equal(connect(descriptor, name, length), 0);
    return descriptor;
}

static inline int call(const struct house *house)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)house->port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect_to(AF_INET, &name, sizeof name);
}

static inline int call_control(const struct house *house)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, house->control);
    return connect_to(AF_UNIX, &name, sizeof name);
}

static inline void say(int descriptor, const char *bytes, size_t count)
{
    assert_int_equal(send(descriptor, bytes, count, MSG_NOSIGNAL), count);
}

// What came back; from malloc, with a NUL behind it.
struct reply {
    char *bytes;
    size_t length;
    bool ended; // by the other side
};

static inline bool more_to_read(int descriptor)
{
    struct pollfd one = {.fd = descriptor, .events = POLLIN};
    return poll(&one, 1, 1) > 0;
}

static inline void read_some(int descriptor, struct reply *reply)
{
    enum { STEP = 64 * 1024 };
    reply->bytes = realloc(reply->bytes, reply->length + STEP + 1);
    ssize_t count = recv(descriptor, reply->bytes + reply->length, STEP, MSG_DONTWAIT);
    reply->length += count > 0 ? (size_t)count : 0;
    reply->ended = count == 0 || (count < 0 && errno == ECONNRESET);
    reply->bytes[reply->length] = '\0';
}

// Runs the loop until the other side has ended the connection, or until `end` has come.
static inline struct reply listen_for(struct house *house, int descriptor, const char *end)
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

static inline struct reply exchange(struct house *house, int descriptor, const char *request)
{
    say(descriptor, request, strlen(request));
    struct reply reply = listen_for(house, descriptor, NULL);
    close(descriptor);
    return reply;
}

static inline struct reply ask(struct house *house, const char *method, const char *path,
                               const char *headers)
{
    char request[1024];
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
             method, path, headers);
    return exchange(house, call(house), request);
}

static inline struct reply write_control(struct house *house, const char *method, const char *path,
                                         const char *body)
{
    char request[1024];
    snprintf(request, sizeof request,
             "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
             method, path, strlen(body), body);
    return exchange(house, call_control(house), request);
}

static inline int status_of(const struct reply *reply)
{
    int status = 0;
    if (sscanf(reply->bytes, "HTTP/1.1 %d ", &status) != 1) {
        fail_msg("no status in: %.300s", reply->bytes);
    }
    return status;
}

static inline void assert_has(const struct reply *reply, const char *part)
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
static inline char *join_chunks(const struct reply *reply)
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

static inline void assert_status(struct reply reply, int status)
{
    if (status_of(&reply) != status) {
        fail_msg("not %d: %.300s", status, reply.bytes);
    }
    free(reply.bytes);
}

static inline void run_for(struct house *house, struct span length)
{
    struct instant end = instant_add(clock_now().instant, length);
    while (!instant_reached(clock_now().instant, end)) {
        uv_run(&house->loop, UV_RUN_NOWAIT);
    }
}

#define IN_HOUSE(test) cmocka_unit_test_setup_teardown(test, house_setup, close_house)

#endif
