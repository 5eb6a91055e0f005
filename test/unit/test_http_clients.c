// Many clients of the HTTP server, and bad ones: the others are served all the same.
#include "http_house.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(test_slow_clients_lock_nobody_out),
        cmocka_unit_test(test_clients_that_do_not_read),
        IN_HOUSE(test_clients_that_go_away),
        cmocka_unit_test(test_destroyed_under_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
