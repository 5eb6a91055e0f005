// The HTTP side end to end: real sockets in a real loop, a client of raw bytes, the agent a
// fixture.
#include "http_house.h"
#include "metrics_check.h"

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
        IN_HOUSE(test_control_socket_writes),
        IN_HOUSE(test_body_in_small_parts),
        IN_HOUSE(test_large_body_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
