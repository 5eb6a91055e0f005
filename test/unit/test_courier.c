// What agents tell each other outside of receipts: windows and who knows them, and when they
// exchange over HTTP.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/core.h"
#include "core_fixture.h"

static struct window window_of(const struct core_fixture *fixture, const char *id,
                               const char *server)
{
    struct window window = {.revision = 1, .begin = fixture->now.wall};
    window.end = walltime_add(window.begin, SPAN_MINUTES(15));
    text_copy(window.id, sizeof window.id, id);
    text_copy(window.server, sizeof window.server, server);
    text_copy(window.by, sizeof window.by, "root@here");
    return window;
}

static void announce(struct core_fixture *fixture, const struct window *window)
{
    struct event event = {.kind = EVENT_WINDOW, .window = *window};
    core_fixture_handle(fixture, &event);
}

static const char *compose(const struct core_fixture *fixture, int peer)
{
    static struct exchange said;
    core_compose(fixture->core, peer, fixture->now, &said);
    return said.maintenance;
}

static const struct action *sent_to(const struct core_fixture *fixture, int peer)
{
    for (size_t i = 0; i < fixture->actions.count; i++) {
        const struct action *action = &fixture->actions.items[i];
        if (action->kind == ACTION_SEND && action->send.peer == peer) {
            return action;
        }
    }
    return NULL;
}

static void test_told_at_once_and_acknowledged(void **state)
{
    (void)state;
    struct core_fixture fixture;
    char why[200];
    core_fixture_begin(&fixture, 2);
    struct window window = window_of(&fixture, "w-1", "here");
    announce(&fixture, &window);
    const struct window *known = windows_find(core_windows(fixture.core), "w-1");
    for (int peer = 0; peer < 2; peer++) {
        assert_non_null(sent_to(&fixture, peer));
        assert_int_equal(sent_to(&fixture, peer)->send.tag.kind, PROBE_ANNOUNCE);
        assert_true(core_acknowledges(fixture.core, known, peer));
        assert_int_equal(core_acknowledgement(fixture.core, known, peer, why, sizeof why),
                         ACKNOWLEDGEMENT_AWAITED);
        assert_string_equal(why, "mail: not handed over yet; never heard");
    }
    assert_non_null(strstr(compose(&fixture, 0), "w=w-1/1/here/r/"));

    core_fixture_hear(&fixture, 0, "ack=w-1/1; ack=w-2/1", "");
    const struct action *action = core_fixture_action(&fixture, ACTION_ACKNOWLEDGED);
    assert_non_null(action);
    assert_string_equal(action->acknowledged.peer, "p0");
    assert_int_equal(action->acknowledged.revision, 1);
    core_fixture_hear(&fixture, 0, "ack=w-1/1", "");
    assert_int_equal(core_fixture_count(&fixture, ACTION_ACKNOWLEDGED), 0);
    assert_int_equal(core_acknowledgement(fixture.core, known, 0, why, sizeof why), ACKNOWLEDGED);
    assert_string_equal(why, "");
    assert_int_equal(core_acknowledgement_count(fixture.core, known).known, 1);
    assert_int_equal(core_acknowledgement_count(fixture.core, known).of, 2);

    window.revision = 2;
    announce(&fixture, &window);
    assert_int_equal(core_acknowledgement_count(fixture.core, known).known, 0);
    core_fixture_end(&fixture);
}

static void test_why_not(void **state)
{
    (void)state;
    struct core_fixture fixture;
    char why[200];
    core_fixture_begin(&fixture, 1);
    struct window window = window_of(&fixture, "w-1", "here");
    announce(&fixture, &window);
    const struct window *known = windows_find(core_windows(fixture.core), "w-1");
    struct probe_id id = sent_to(&fixture, 0)->send.tag.id;
    core_fixture_submitted(&fixture, 0, &id, SUBMIT_REFUSED);
    core_acknowledgement(fixture.core, known, 0, why, sizeof why);
    assert_string_equal(why, "mail: our relay refuses: 550 no; never heard");
    core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    core_fixture_wait(&fixture, SPAN_SECONDS(7));
    core_fixture_time(&fixture);
    core_acknowledgement(fixture.core, known, 0, why, sizeof why);
    assert_string_equal(why, "mail: handed over 7 s ago, not answered yet; never heard");
    core_fixture_hear(&fixture, 0, "", "");
    struct window own = window_of(&fixture, "w-2", "p0");
    announce(&fixture, &own);
    known = windows_find(core_windows(fixture.core), "w-1");
    core_fixture_wait(&fixture, SPAN_MINUTES(5));
    core_fixture_time(&fixture);
    core_acknowledgement(fixture.core, known, 0, why, sizeof why);
    assert_non_null(strstr(why, "; last heard 5 m ago; in maintenance itself until 2026-01-"));
    core_fixture_hear(&fixture, 0, "no=w-1/1/no%20server%20here", "");
    assert_int_equal(core_acknowledgement(fixture.core, known, 0, why, sizeof why),
                     ACKNOWLEDGEMENT_REFUSED);
    assert_string_equal(why, "refuses the window: no server here");
    core_fixture_end(&fixture);
}

// Whatever a peer announces that nobody should keep: refused, counted, said once, and it is told.
static void test_refused(void **state)
{
    (void)state;
    static const struct refused_case {
        const char *form; // of begin and end, in seconds from now
        int64_t begin;
        int64_t end;
        const char *why; // NULL: taken
    } cases[] = {
        {"w=w-1/1/p0/r/%lld/%lld/root@p0/", 0, 900, NULL},
        {"w=w-1/1/p1/r/%lld/%lld/root@p0/", 0, 900, NULL},
        {"w=w-1/1/here/r/%lld/%lld/root@p0/", 0, 900, NULL},
        {"w=w-1/1/p0/rc/%lld/%lld/root@p0/", 900, 900, NULL},
        {"w=w-1/1/p0/r/%lld/%lld/root@p0/", 0, 366 * 86400, NULL},
        {"w=w-1/1/mx07/r/%lld/%lld/root@p0/", 0, 900, "no server mx07 here"},
        {"w=w-1/1/p0/r/%lld/%lld/root@p0/", 900, 0, "it ends before it begins"},
        {"w=w-1/1/p0/r/%lld/%lld/root@p0/", 900, 900, "it ends before it begins"},
        {"w=w-1/1/p0/r/%lld/%lld/root@p0/", 0, 400 * 86400, "it is longer than 366 days"},
        {"w=w-1/1/p0/r/%lld/%lld/root@p0/", 401 * 86400, 401 * 86400 + 60,
         "it begins in more than 400 days"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct core_fixture fixture;
        char announced[300], expected[200];
        core_fixture_begin(&fixture, 2);
        long long now = walltime_microseconds(fixture.now.wall);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(announced, sizeof announced, cases[i].form, now + cases[i].begin * 1000000,
                 now + cases[i].end * 1000000);
#pragma GCC diagnostic pop
        core_fixture_hear(&fixture, 0, announced, "");
        bool taken = windows_find(core_windows(fixture.core), "w-1") != NULL;
        assert_int_equal(taken, cases[i].why == NULL);
        assert_int_equal(core_stats(fixture.core)->windows_refused, !taken);
        const struct action *said = core_fixture_action(&fixture, ACTION_SAY_REFUSED);
        if (!taken) {
            snprintf(expected, sizeof expected, "window w-1 by root@p0: %s", cases[i].why);
            assert_string_equal(said->refused.reason, expected);
            assert_non_null(strstr(compose(&fixture, 0), "no=w-1/1/"));
        }
        core_fixture_hear(&fixture, 0, announced, "");
        assert_null(core_fixture_action(&fixture, ACTION_SAY_REFUSED));
        assert_int_equal(core_stats(fixture.core)->windows_refused, !taken);
        core_fixture_end(&fixture);
    }
}

// With a fanout most servers of the mesh are no peers, and their windows are known all the same.
static void test_windows_of_servers_in_lists(void **state)
{
    (void)state;
    static const struct listed_server MESH[] = {{.name = "here"}, {.name = "mx07"}};
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    fixture.settings->mesh = MESH;
    fixture.settings->mesh_count = 2;
    core_fixture_hear(&fixture, 0, "w=w-1/1/mx07/r/1767484800000000/1767488400000000/root@p0/", "");
    assert_int_equal(core_stats(fixture.core)->windows_refused, 0);
    assert_non_null(windows_find(core_windows(fixture.core), "w-1"));
    assert_non_null(strstr(compose(&fixture, 0), "ack=w-1/1"));
    core_fixture_hear(&fixture, 0, "w=w-2/1/mx08/r/1767484800000000/1767488400000000/root@p0/", "");
    assert_int_equal(core_stats(fixture.core)->windows_refused, 1);
    core_fixture_end(&fixture);
}

static void test_what_is_handed_on_is_not_refused(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    core_fixture_hear(&fixture, 0, "w=w-1/1/mx07/r/1767484800000000/1767488400000000/root@mx09/",
                      "");
    assert_int_equal(core_stats(fixture.core)->windows_refused, 0);
    assert_int_equal(core_windows(fixture.core)->count, 0);
    core_fixture_hear(&fixture, 0, "w=w-1/1/", "");
    assert_int_equal(core_stats(fixture.core)->windows_refused, 1);
    assert_non_null(core_fixture_action(&fixture, ACTION_SAY_REFUSED));
    core_fixture_end(&fixture);
}

// However many there are, a probe stays small, and in the end the peer knows every one.
static void test_many_windows(void **state)
{
    (void)state;
    enum { MANY = 200 };
    struct core_fixture here, there;
    core_fixture_begin(&here, 1);
    core_fixture_begin(&there, 1);
    there.settings->server = "p0";
    ((struct peer_settings *)there.settings->peers)->name = "here";
    for (int i = 0; i < MANY; i++) {
        char id[WINDOW_ID_SIZE];
        snprintf(id, sizeof id, "w-%d", i);
        struct window window = window_of(&here, id, "here");
        window.begin = walltime_add(window.begin, SPAN_MINUTES(i));
        window.end = walltime_add(window.end, SPAN_MINUTES(i));
        memset(window.reason, '/', 100);
        announce(&here, &window);
    }
    unsigned rounds = 0;
    for (bool all = false; !all; rounds++) {
        static struct exchange said;
        core_compose(here.core, 0, here.now, &said);
        assert_true(strlen(said.maintenance) + strlen(said.receipts) + strlen(said.row) <= 2900);
        core_fixture_hear(&there, 0, said.maintenance, "");
        core_compose(there.core, 0, there.now, &said);
        assert_true(strlen(said.maintenance) + strlen(said.receipts) + strlen(said.row) <= 2900);
        core_fixture_hear(&here, 0, said.maintenance, "");
        core_fixture_wait(&here, SPAN_SECONDS(1));
        core_fixture_wait(&there, SPAN_SECONDS(1));
        all = true;
        for (int i = 0; i < MANY; i++) {
            const struct window *window = &core_windows(here.core)->items[i];
            all = all && core_acknowledgement_count(here.core, window).known == 1;
        }
        assert_true(rounds < 200);
    }
    assert_int_equal(core_windows(there.core)->count, MANY);
    core_fixture_end(&here);
    core_fixture_end(&there);
}

// `here` says what it has to say over HTTP, and `there` answers.
static void exchange_once(struct core_fixture *here, struct core_fixture *there)
{
    static struct exchange said;
    core_compose(here->core, 0, here->now, &said);
    core_fixture_hear(there, 0, said.maintenance, "");
    core_compose(there->core, 0, there->now, &said);
    core_fixture_hear(here, 0, said.maintenance, "");
    core_fixture_wait(here, SPAN_SECONDS(1));
    core_fixture_wait(there, SPAN_SECONDS(1));
}

static struct window listed_window(const struct core_fixture *fixture, int number)
{
    char id[WINDOW_ID_SIZE];
    snprintf(id, sizeof id, "c-%010d", number);
    struct window window = window_of(fixture, id, "here");
    window.origin = ORIGIN_CONFIG;
    window.begin = walltime_add(window.begin, SPAN_MINUTES(10 + number));
    window.end = walltime_add(window.end, SPAN_MINUTES(10 + number));
    return window;
}

// A rule that gave so many windows and was removed: all of them cancelled, and known to both.
static void list_many(struct core_fixture *here, struct core_fixture *there, int many)
{
    for (int i = 0; i < many; i++) {
        struct window window = listed_window(here, i);
        announce(here, &window);
    }
    for (int i = 0; i < many; i++) {
        struct window window = *windows_find(core_windows(here->core), listed_window(here, i).id);
        window.revision = 2;
        window.cancelled = i % 3 != 0;
        window.end = window.cancelled ? window.begin : window.end;
        announce(here, &window);
    }
    for (int rounds = 0; rounds < many; rounds++) {
        exchange_once(here, there);
    }
    assert_int_equal(core_windows(there->core)->count, many);
}

static bool all_know(const struct core_fixture *fixture, const char *window)
{
    const struct window *known = windows_find(core_windows(fixture->core), window);
    struct acknowledgement_count count = core_acknowledgement_count(fixture->core, known);
    return count.known == count.of;
}

// However much else both have to say, what somebody has just ordered is told and acknowledged by
// the next message and its answer: begun, changed and cancelled, now and days ahead.
static void test_a_backlog_delays_no_acknowledgement(void **state)
{
    (void)state;
    enum { MANY = 300, ORDERED = 6 };
    struct core_fixture here, there;
    core_fixture_begin(&here, 1);
    core_fixture_begin(&there, 1);
    there.settings->server = "p0";
    ((struct peer_settings *)there.settings->peers)->name = "here";
    list_many(&here, &there, MANY);
    for (int i = 0; i < ORDERED; i++) {
        char id[WINDOW_ID_SIZE];
        snprintf(id, sizeof id, "w-%d", i);
        struct window window = window_of(&here, id, "here");
        window.begin = walltime_add(window.begin, SPAN_HOURS(48 * i));
        window.end = walltime_add(window.end, SPAN_HOURS(48 * i));
        for (window.revision = 1; window.revision <= 3; window.revision++) {
            struct window unheard = listed_window(&here, MANY + i * 3 + (int)window.revision);
            window.end = walltime_add(window.end, SPAN_MINUTES(5));
            window.cancelled = i > 0 && window.revision == 3;
            announce(&here, &unheard);
            announce(&here, &window);
            assert_false(all_know(&here, id));
            exchange_once(&here, &there);
            assert_true(all_know(&here, id));
        }
    }
    core_fixture_end(&here);
    core_fixture_end(&there);
}

static void test_the_table_is_full(void **state)
{
    (void)state;
    struct core_fixture fixture;
    char announced[200];
    core_fixture_begin(&fixture, 1);
    long long now = walltime_microseconds(fixture.now.wall);
    for (int i = 0; i < WINDOWS_MAXIMUM; i++) {
        char id[WINDOW_ID_SIZE];
        snprintf(id, sizeof id, "w-%d", i);
        struct window window = window_of(&fixture, id, "here");
        if (i == 5) { // over for long, but for a while yet it tells what was excused
            window.begin.ns -= SPAN_HOURS(30).ns;
            window.end.ns -= SPAN_HOURS(30).ns;
        }
        announce(&fixture, &window);
    }
    struct window longer = window_of(&fixture, "w-7", "here");
    longer.revision = 2;
    announce(&fixture, &longer); // takes no room
    assert_int_equal(windows_find(core_windows(fixture.core), "w-7")->revision, 2);
    assert_non_null(windows_find(core_windows(fixture.core), "w-5"));
    snprintf(announced, sizeof announced, "w=x-1/1/p0/r/%lld/%lld/root@p0/", now, now + 900000000);
    core_fixture_hear(&fixture, 0, announced, "");
    assert_int_equal(core_windows(fixture.core)->count, WINDOWS_MAXIMUM);
    assert_non_null(windows_find(core_windows(fixture.core), "x-1"));
    assert_null(windows_find(core_windows(fixture.core), "w-5"));
    snprintf(announced, sizeof announced, "w=x-2/1/p0/r/%lld/%lld/root@p0/", now, now + 900000000);
    core_fixture_hear(&fixture, 0, announced, "");
    assert_null(windows_find(core_windows(fixture.core), "x-2"));
    assert_int_equal(core_stats(fixture.core)->windows_refused, 1);
    core_fixture_end(&fixture);
}

static void test_kept_for_what_is_in_flight(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    fixture.settings->retention = SPAN_HOURS(1);
    struct window first = window_of(&fixture, "w-1", "p0"), later;
    announce(&fixture, &first);
    core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    core_fixture_wait(&fixture, SPAN_HOURS(100));
    later = window_of(&fixture, "w-2", "p0");
    announce(&fixture, &later);
    assert_non_null(windows_find(core_windows(fixture.core), "w-1"));
    core_fixture_run(&fixture, SPAN_HOURS(40), NULL, NULL); // given up as lost
    later = window_of(&fixture, "w-3", "p0");
    announce(&fixture, &later);
    assert_null(windows_find(core_windows(fixture.core), "w-1"));
    core_fixture_end(&fixture);
}

// ---- exchanges ----

// How long until the next exchange begins.
static double next_exchange(struct core_fixture *fixture)
{
    struct instant from = fixture->now.instant;
    while (instant_since(fixture->now.instant, from).ns < SPAN_MINUTES(10).ns) {
        core_fixture_time(fixture);
        if (core_fixture_count(fixture, ACTION_EXCHANGE) > 0) {
            return span_seconds(instant_since(fixture->now.instant, from));
        }
        core_fixture_wait(fixture, SPAN_MS(100));
    }
    return -1;
}

static void fail_exchange(struct core_fixture *fixture)
{
    struct event event = {.kind = EVENT_EXCHANGE_FAILED,
                          .exchange_failed = {0, "connection refused"}};
    core_fixture_handle(fixture, &event);
}

static void test_exchanges(void **state)
{
    (void)state;
    static const double AGAIN[] = {1, 2, 4, 8, 16, 32, 60, 60};
    struct core_fixture fixture;
    char why[200];
    fixture.settings = core_settings_of(1);
    ((struct peer_settings *)fixture.settings->peers)->agent = "https://p0.example";
    fixture.now = (struct moment){{5000000000000}, {1767484800000000000}};
    fixture.core = core_create(fixture.settings, fixture.now, 7);
    core_start(fixture.core, fixture.now, WALLTIME_NONE, WALLTIME_NONE);

    assert_true(next_exchange(&fixture) <= 5);
    core_fixture_hear(&fixture, 0, "", "");
    assert_true(next_exchange(&fixture) >= 59.9); // once an interval
    fail_exchange(&fixture);
    assert_true(next_exchange(&fixture) >= 59.9); // nothing is owed
    core_fixture_hear(&fixture, 0, "", "");
    core_fixture_wait(&fixture, SPAN_SECONDS(10));

    struct window window = window_of(&fixture, "w-1", "here");
    announce(&fixture, &window);
    assert_int_equal(core_fixture_count(&fixture, ACTION_EXCHANGE), 1);
    for (size_t i = 0; i < sizeof AGAIN / sizeof AGAIN[0]; i++) {
        fail_exchange(&fixture);
        double after = next_exchange(&fixture);
        assert_true(after > AGAIN[i] - 0.2 && after < AGAIN[i] + 0.2);
    }
    const struct window *known = windows_find(core_windows(fixture.core), "w-1");
    fail_exchange(&fixture);
    core_acknowledgement(fixture.core, known, 0, why, sizeof why);
    assert_non_null(strstr(why, "HTTP: connection refused; mail: "));
    window.revision = 2; // while one is under way: another follows it
    double after = next_exchange(&fixture);
    assert_true(after > 59 && after < 61);
    announce(&fixture, &window);
    assert_int_equal(core_fixture_count(&fixture, ACTION_EXCHANGE), 0);
    core_fixture_hear(&fixture, 0, "ack=w-1/1", "");
    assert_int_equal(core_fixture_count(&fixture, ACTION_EXCHANGE), 1);
    core_fixture_hear(&fixture, 0, "ack=w-1/2", "");
    assert_true(next_exchange(&fixture) >= 59.9);
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_told_at_once_and_acknowledged),
        cmocka_unit_test(test_why_not),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_windows_of_servers_in_lists),
        cmocka_unit_test(test_what_is_handed_on_is_not_refused),
        cmocka_unit_test(test_many_windows),
        cmocka_unit_test(test_a_backlog_delays_no_acknowledgement),
        cmocka_unit_test(test_the_table_is_full),
        cmocka_unit_test(test_kept_for_what_is_in_flight),
        cmocka_unit_test(test_exchanges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
