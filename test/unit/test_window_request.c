// What operators may ask of maintenance windows, and the words with which the rest is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "base/json_read.h"
#include "shell/window_request.h"

static int setup(void **state)
{
    *state = agent_fixture_settings(1, "/tmp", NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    arena_destroy(((struct settings *)*state)->arena);
    return 0;
}

static json_t *parse(const char *text)
{
    struct error error = {0};
    json_t *object = json_read_line(text, strlen(text), &error);
    assert_string_equal(error.message, "");
    return object;
}

// The message, "" when the window is good. WALL(0) is 2026-09-21T14:13:20Z, which is now.
static const char *ask_new(const struct settings *settings, const char *text, struct window *out)
{
    static struct error error;
    error.message[0] = '\0';
    json_t *request = parse(text);
    bool good = window_request_new(request, settings, WALL(0), out, &error);
    assert_int_equal(good, error.message[0] == '\0');
    json_decref(request);
    return error.message;
}

static const char *ask_change(const struct settings *settings, const char *text,
                              struct window *window)
{
    static struct error error;
    error.message[0] = '\0';
    json_t *request = parse(text);
    bool good = window_request_change(request, settings, WALL(0), window, &error);
    assert_int_equal(good, error.message[0] == '\0');
    json_decref(request);
    return error.message;
}

static void test_defaults(void **state)
{
    struct window window;
    assert_string_equal(ask_new(*state, "{}", &window), "");
    assert_string_equal(window.server, "mx01");
    assert_string_equal(window.by, "operator@mx01");
    assert_string_equal(window.reason, "");
    assert_int_equal(window.kind, WINDOW_ROUTINE);
    assert_int_equal(window.revision, 1);
    assert_int_equal(window.begin.ns, WALL(0).ns);
    assert_int_equal(window.end.ns, WALL(15 * 60).ns);
    assert_false(window.cancelled);
}

static void test_emergency_is_longer(void **state)
{
    struct window window;
    assert_string_equal(ask_new(*state,
                                "{\"kind\":\"emergency\",\"reason\":\"disk\",\"server\":\"mx02\"}",
                                &window),
                        "");
    assert_string_equal(window.server, "mx02");
    assert_int_equal(window.kind, WINDOW_EMERGENCY);
    assert_int_equal(window.end.ns, WALL(2 * 3600).ns);
}

static void test_begin_and_end_as_given(void **state)
{
    struct window window;
    assert_string_equal(ask_new(*state,
                                "{\"begin\":\"2026-09-21T16:13:30+02:00\","
                                "\"duration_seconds\":90.5,\"by\":\"root@x\"}",
                                &window),
                        "");
    assert_int_equal(window.begin.ns, WALL(10).ns);
    assert_int_equal(window.end.ns, WALL(100).ns + 500000000);
    assert_string_equal(window.by, "root@mx01");
    assert_string_equal(ask_new(*state, "{\"end\":\"2026-09-21T14:14:20Z\"}", &window), "");
    assert_int_equal(window.end.ns, WALL(60).ns);
}

static void test_forced_routine_may_be_long(void **state)
{
    struct window window;
    assert_string_equal(ask_new(*state, "{\"duration_seconds\":18000,\"force\":true}", &window),
                        "");
    assert_string_equal(ask_new(*state, "{\"duration_seconds\":14400}", &window), "");
    assert_string_equal(
        ask_new(*state, "{\"duration_seconds\":18000,\"kind\":\"emergency\",\"reason\":\"disk\"}",
                &window),
        "");
}

static void test_refusals_say_why(void **state)
{
    static const struct {
        const char *request;
        const char *message;
    } CASES[] = {
        {"{\"begin\":\"2026-09-21T14:20:00Z\",\"end\":\"2026-09-21T14:15:00Z\"}",
         "end 2026-09-21T14:15:00Z is not after begin 2026-09-21T14:20:00Z"},
        {"{\"begin\":\"2026-09-21T14:20:00Z\",\"end\":\"2026-09-21T14:20:00Z\"}",
         "end 2026-09-21T14:20:00Z is not after begin 2026-09-21T14:20:00Z"},
        {"{\"begin\":\"2026-09-21T14:00:00Z\",\"duration_seconds\":60}",
         "end 2026-09-21T14:01:00Z is in the past: it is 2026-09-21T14:13:20Z now"},
        {"{\"server\":\"mx09\"}", "unknown server 'mx09': this mesh has mx01, mx02"},
        {"{\"server\":\"\"}", "unknown server '': this mesh has mx01, mx02"},
        {"{\"duration_seconds\":18000}", "routine maintenance of 5h is longer than 4h: use an "
                                         "emergency with a reason, or force it (--force)"},
        {"{\"duration_seconds\":18000,\"force\":false}",
         "routine maintenance of 5h is longer than 4h: use an emergency with a reason, or force it "
         "(--force)"},
        {"{\"kind\":\"emergency\"}", "emergency maintenance needs a reason"},
        {"{\"kind\":\"holiday\"}", "\"kind\" is neither routine nor emergency"},
        {"{\"kind\":7}", "\"kind\" is not a string"},
        {"{\"begin\":\"tomorrow\"}", "\"begin\" is not a time like 2026-01-04T02:00:00Z"},
        {"{\"end\":null}", "\"end\" is not a string"},
        {"{\"duration_seconds\":\"30m\"}", "\"duration_seconds\" is not a number"},
        {"{\"duration_seconds\":0}", "maintenance can last from 1s to 366d"},
        {"{\"duration_seconds\":-60}", "maintenance can last from 1s to 366d"},
        {"{\"duration_seconds\":1e300}", "maintenance can last from 1s to 366d"},
        {"{\"end\":\"2026-09-21T14:20:00Z\",\"duration_seconds\":60}",
         "give \"end\" or \"duration_seconds\", not both"},
        {"{\"end\":\"2100-01-01T00:00:00Z\",\"force\":true}",
         "a maintenance of 2312444800s is longer than 366d"},
        {"{\"begin\":\"2028-01-01T00:00:00Z\"}",
         "begin 2028-01-01T00:00:00Z is more than 400d ahead"},
        {"{\"force\":1}", "\"force\" is not true or false"},
        {"{\"reason\":\"a\\nb\"}", "the reason is not one line of plain text"},
        {"{\"reason\":7}", "\"reason\" is not a string"},
        {"{\"colour\":\"red\"}", "\"colour\" is not known here"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct window window;
        assert_string_equal(ask_new(*state, CASES[i].request, &window), CASES[i].message);
    }
}

static void test_too_long_reason_is_refused(void **state)
{
    char request[512] = "{\"reason\":\"";
    struct window window;
    memset(request + strlen(request), 'x', 300);
    strcat(request, "\"}");
    assert_string_equal(ask_new(*state, request, &window),
                        "the reason is 300 bytes long: 159 are the most");
}

static struct window active_window(void)
{
    return (struct window){.id = "w-1",
                           .revision = 4,
                           .server = "mx02",
                           .begin = WALL(-60),
                           .end = WALL(60),
                           .reason = "kernel"};
}

static void test_extending(void **state)
{
    struct window window = active_window();
    assert_string_equal(ask_change(*state, "{\"extend_seconds\":30}", &window), "");
    assert_int_equal(window.end.ns, WALL(90).ns);
    assert_int_equal(window.revision, 5);
    assert_string_equal(ask_change(*state, "{\"end\":\"2026-09-21T14:14:00Z\"}", &window), "");
    assert_int_equal(window.end.ns, WALL(40).ns);
    assert_int_equal(window.revision, 6);
    assert_string_equal(ask_change(*state, "{\"extend_seconds\":14400,\"force\":true}", &window),
                        "");
    assert_string_equal(window.reason, "kernel");
}

static void test_an_expired_window_can_be_extended_into_now(void **state)
{
    struct window window = active_window();
    window.end = WALL(-10);
    assert_string_equal(
        ask_change(*state, "{\"extend_seconds\":5}", &window),
        "window w-1 ended at 2026-09-21T14:13:10Z, 10 s ago: extend it by more than "
        "that, or begin another");
    window.end = WALL(-10);
    assert_string_equal(ask_change(*state, "{\"extend_seconds\":600}", &window), "");
    assert_int_equal(window.end.ns, WALL(590).ns);
}

static void test_changes_that_are_refused(void **state)
{
    static const struct {
        const char *request;
        const char *message;
    } CASES[] = {
        {"{}", "give \"end\" or \"extend_seconds\", one of them"},
        {"{\"end\":\"2026-09-21T14:14:00Z\",\"extend_seconds\":5}",
         "give \"end\" or \"extend_seconds\", one of them"},
        {"{\"extend_seconds\":0.5}", "maintenance can be extended by 1s to 366d"},
        {"{\"extend_seconds\":\"5\"}", "\"extend_seconds\" is not a number"},
        {"{\"extend_seconds\":14400}", "routine maintenance of 242m is longer than 4h: use an "
                                       "emergency with a reason, or force it (--force)"},
        {"{\"end\":\"2026-09-21T14:00:00Z\"}",
         "end 2026-09-21T14:00:00Z is not after begin 2026-09-21T14:12:20Z"},
        {"{\"server\":\"mx01\",\"extend_seconds\":5}", "\"server\" is not known here"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct window window = active_window();
        assert_string_equal(ask_change(*state, CASES[i].request, &window), CASES[i].message);
    }
    struct window window = active_window();
    window.cancelled = true;
    assert_string_equal(ask_change(*state, "{\"extend_seconds\":5}", &window),
                        "window w-1 was cancelled: announce a new one");
}

static void test_who_asks_has_the_window(void **state)
{
    static const struct {
        const char *request;
        const char *by;
    } CASES[] = {
        {"{\"extend_seconds\":30,\"by\":\"alice\"}", "alice@mx01"},
        {"{\"extend_seconds\":30,\"by\":\"alice@mx01\"}", "alice@mx01"},
        {"{\"extend_seconds\":30,\"by\":\"a@realm@mail.example\"}", "a@realm@mx01"},
        {"{\"extend_seconds\":30,\"by\":\"@\"}", "operator@mx01"},
        {"{\"extend_seconds\":30}", "operator@mx01"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct window window = active_window();
        window.origin = ORIGIN_CALENDAR;
        strcpy(window.by, "calendar@mx02");
        assert_string_equal(ask_change(*state, CASES[i].request, &window), "");
        assert_string_equal(window.by, CASES[i].by);
        assert_int_equal(window.origin, ORIGIN_OPERATOR);
    }
    char request[512];
    struct window window = active_window();
    snprintf(request, sizeof request, "{\"extend_seconds\":30,\"by\":\"%094d\"}", 0);
    assert_string_equal(ask_change(*state, request, &window),
                        "\"by\" is too long to be said with 'mx01'");
}

static void test_times_are_whole_microseconds(void **state)
{
    struct error error = {0};
    struct window window;
    json_t *request = parse("{\"duration_seconds\":90.1234567891}");
    struct walltime now = {WALL(0).ns + 123456789};
    assert_true(window_request_new(request, *state, now, &window, &error));
    assert_int_equal(window.begin.ns, WALL(0).ns + 123456000);
    assert_int_equal(window.end.ns, window.begin.ns + 90123456000);
    assert_true(window_request_end(now, &window, &error));
    assert_int_equal(window.end.ns, window.begin.ns);
    json_decref(request);
}

static void test_ending(void **state)
{
    struct error error = {0};
    (void)state;
    struct window window = active_window();
    assert_true(window_request_end(WALL(0), &window, &error));
    assert_int_equal(window.end.ns, WALL(0).ns);
    assert_int_equal(window.revision, 5);
    assert_false(window.cancelled);
    assert_false(window_request_end(WALL(1), &window, &error));
    assert_string_equal(error.message, "window w-1 is over since 2026-09-21T14:13:20Z");

    window = active_window();
    assert_true(window_request_end(WALL(-100), &window, &error));
    assert_int_equal(window.end.ns, window.begin.ns);
    assert_true(window.cancelled);
    assert_false(window_request_end(WALL(-100), &window, &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_emergency_is_longer),
        cmocka_unit_test(test_begin_and_end_as_given),
        cmocka_unit_test(test_forced_routine_may_be_long),
        cmocka_unit_test(test_refusals_say_why),
        cmocka_unit_test(test_too_long_reason_is_refused),
        cmocka_unit_test(test_extending),
        cmocka_unit_test(test_an_expired_window_can_be_extended_into_now),
        cmocka_unit_test(test_changes_that_are_refused),
        cmocka_unit_test(test_who_asks_has_the_window),
        cmocka_unit_test(test_times_are_whole_microseconds),
        cmocka_unit_test(test_ending),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
