// Where the HTTP server listens: a port that is taken, IPv6, and what a reload changes.
#include "http_house.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_used_port_is_explained),
        IN_HOUSE(test_own_port_is_explained_otherwise),
        IN_HOUSE(test_ipv6),
        IN_HOUSE(test_descriptors_of_others_survive_a_listener),
        IN_HOUSE(test_reload_over_http_moves_the_listener),
        IN_HOUSE(test_refused_reload_changes_nothing),
        cmocka_unit_test(test_reload_ends_streams_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
