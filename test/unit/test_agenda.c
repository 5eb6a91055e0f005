// What an origin wants against what is known: new, changed, gone, taken over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/text.h"
#include "core/agenda.h"

#define AT(seconds) ((struct walltime){INT64_C(1000000000) * (seconds)})
#define BY          "calendar@mx02"

enum { ROOM = 4 };

static struct window window_of(const char *id, int64_t begin, int64_t end)
{
    struct window window = {.begin = AT(begin), .end = AT(end)};
    text_copy(window.id, sizeof window.id, id);
    text_copy(window.server, sizeof window.server, "mx01");
    text_copy(window.by, sizeof window.by, BY);
    text_copy(window.reason, sizeof window.reason, "patches");
    return window;
}

// Reconciles and takes the changes in, as the agent does.
static size_t take(struct windows *known, const struct window *wanted, size_t count, int64_t now,
                   struct window changes[ROOM])
{
    size_t changed =
        agenda_reconcile(known, ORIGIN_CALENDAR, "mx02", wanted, count, AT(now), changes, ROOM);
    for (size_t i = 0; i < changed; i++) {
        assert_non_null(windows_put(known, &changes[i]));
    }
    return changed;
}

static void test_new_then_nothing(void **state)
{
    (void)state;
    struct windows known = {0};
    struct window changes[ROOM];
    struct window wanted[] = {window_of("c-1", 1000, 2000), window_of("c-2", 5000, 6000)};
    assert_int_equal(take(&known, wanted, 2, 500, changes), 2);
    assert_int_equal(changes[1].revision, 1);
    assert_int_equal(changes[1].origin, ORIGIN_CALENDAR);
    assert_string_equal(changes[1].by, BY);
    assert_int_equal(take(&known, wanted, 2, 1500, changes), 0);
    assert_int_equal(take(&known, wanted, 2, 9500, changes), 0);
    windows_free(&known);
}

static void test_changed(void **state)
{
    (void)state;
    struct windows known = {0};
    struct window changes[ROOM];
    struct window wanted = window_of("c-1", 1000, 2000);
    take(&known, &wanted, 1, 500, changes);
    wanted.end = AT(3000);
    assert_int_equal(take(&known, &wanted, 1, 600, changes), 1);
    assert_int_equal(changes[0].revision, 2);
    assert_int_equal(changes[0].end.ns, AT(3000).ns);
    text_copy(wanted.reason, sizeof wanted.reason, "new disks");
    assert_int_equal(take(&known, &wanted, 1, 600, changes), 1);
    assert_int_equal(changes[0].revision, 3);
    wanted.kind = WINDOW_EMERGENCY;
    assert_int_equal(take(&known, &wanted, 1, 600, changes), 1);
    assert_int_equal(take(&known, &wanted, 1, 600, changes), 0);
    windows_free(&known);
}

static void test_gone(void **state)
{
    (void)state;
    static const struct gone_case {
        int64_t now;
        size_t changes;
        bool cancelled;
        int64_t end;
    } cases[] = {
        {900, 1, true, 1000},
        {1000, 1, true, 1000},
        {1500, 1, false, 1500},
        {2000, 0, false, 2000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct windows known = {0};
        struct window changes[ROOM];
        struct window wanted = window_of("c-1", 1000, 2000);
        take(&known, &wanted, 1, 500, changes);
        assert_int_equal(take(&known, NULL, 0, cases[i].now, changes), cases[i].changes);
        assert_int_equal(windows_find(&known, "c-1")->cancelled, cases[i].cancelled);
        assert_int_equal(windows_find(&known, "c-1")->end.ns, AT(cases[i].end).ns);
        assert_int_equal(take(&known, NULL, 0, cases[i].now, changes), 0);
        windows_free(&known);
    }
}

static void test_wanted_again(void **state)
{
    (void)state;
    struct windows known = {0};
    struct window changes[ROOM];
    struct window wanted = window_of("c-1", 1000, 2000);
    take(&known, &wanted, 1, 500, changes);
    take(&known, NULL, 0, 600, changes);
    assert_int_equal(take(&known, &wanted, 1, 700, changes), 1);
    assert_int_equal(changes[0].revision, 3);
    assert_false(windows_find(&known, "c-1")->cancelled);
    windows_free(&known);
}

static void test_taken_over_is_left_alone(void **state)
{
    (void)state;
    struct windows known = {0};
    struct window changes[ROOM];
    struct window wanted = window_of("c-1", 1000, 2000);
    take(&known, &wanted, 1, 500, changes);
    struct window extended = *windows_find(&known, "c-1");
    extended.revision++;
    extended.end = AT(4000);
    extended.origin = ORIGIN_PEER;
    text_copy(extended.by, sizeof extended.by, "root@mx03");
    assert_non_null(windows_put(&known, &extended));
    assert_int_equal(take(&known, &wanted, 1, 600, changes), 0);
    assert_int_equal(take(&known, NULL, 0, 600, changes), 0);
    assert_int_equal(windows_find(&known, "c-1")->end.ns, AT(4000).ns);
    windows_free(&known);
}

static void test_other_origins_are_left_alone(void **state)
{
    (void)state;
    struct windows known = {0};
    struct window changes[ROOM];
    struct window flag = window_of("f-1", 1000, 2000);
    flag.revision = 1;
    flag.origin = ORIGIN_FLAG;
    text_copy(flag.by, sizeof flag.by, BY);
    assert_non_null(windows_put(&known, &flag));
    assert_int_equal(take(&known, NULL, 0, 600, changes), 0);
    windows_free(&known);
}

// On behalf of whoever made the silence, and of nobody else.
static void test_on_behalf_of_somebody(void **state)
{
    static const struct by_case {
        const char *by;
        bool ours;
    } cases[] = {
        {"alertmanager:alice@example.org@mx02", true},
        {"alertmanager@mx02", true},
        {"alertmanager:alice@mx03", false},
        {"alertmanagers@mx02", false},
        {"root@mx02", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window changes[ROOM], window = window_of("a-1", 1000, 2000);
        window.origin = ORIGIN_ALERTMANAGER;
        text_copy(window.by, sizeof window.by, cases[i].by);
        const struct windows known = {&window, 1};
        assert_int_equal(
            agenda_reconcile(&known, ORIGIN_ALERTMANAGER, "mx02", NULL, 0, AT(1500), changes, ROOM),
            cases[i].ours ? 1 : 0);
    }
}

static void test_a_change_of_what_another_agent_has_is_taken_over(void **state)
{
    static const struct take_over_case {
        const char *by;
        enum window_origin origin;
        int64_t end;
        int64_t now;
        bool taken;
    } cases[] = {
        {"alertmanager:alice@mx03", ORIGIN_PEER, 3000, 1500, true},
        {"alertmanager:alice@mx03", ORIGIN_PEER, 1500, 1500, true},
        {"alertmanager:alice@mx03", ORIGIN_PEER, 2003, 2003, false}, // it has ended already
        {"alertmanager:alice@mx03", ORIGIN_PEER, 2000, 1500, false}, // says nothing new
        {"root@mx03", ORIGIN_PEER, 3000, 1500, false},               // somebody has taken it over
        {"alertmanager:alice@mx02", ORIGIN_ALERTMANAGER, 3000, 1500, false}, // ours already
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct window change, window = window_of("a-1", 1000, 2000);
        struct window changed = window_of("a-1", 1000, cases[i].end);
        const struct windows known = {&window, 1};
        window.revision = 7;
        window.origin = cases[i].origin;
        text_copy(window.by, sizeof window.by, cases[i].by);
        bool taken =
            agenda_take_over(&known, ORIGIN_ALERTMANAGER, &changed, AT(cases[i].now), &change);
        assert_int_equal(taken, cases[i].taken);
        if (taken) {
            assert_int_equal(change.revision, 8);
            assert_int_equal(change.origin, ORIGIN_ALERTMANAGER);
            assert_string_equal(change.by, changed.by);
        }
    }
    const struct windows none = {0};
    struct window change, changed = window_of("a-1", 1000, 2000);
    assert_false(agenda_take_over(&none, ORIGIN_ALERTMANAGER, &changed, AT(1500), &change));
}

// Nobody sees the server between two windows.
static void test_the_new_one_comes_before_the_old_one_goes(void **state)
{
    (void)state;
    struct windows known = {0};
    struct window changes[ROOM];
    struct window before = window_of("c-1", 1000, 2000), after = window_of("c-2", 1400, 3000);
    take(&known, &before, 1, 500, changes);
    assert_int_equal(take(&known, &after, 1, 1500, changes), 2);
    assert_string_equal(changes[0].id, "c-2");
    assert_string_equal(changes[1].id, "c-1");
    assert_int_equal(changes[1].end.ns, AT(1500).ns);
    windows_free(&known);
}

static void test_more_than_there_is_room_for(void **state)
{
    (void)state;
    struct windows known = {0};
    struct window changes[ROOM], wanted[10];
    char id[WINDOW_ID_SIZE] = "c-0";
    for (int i = 0; i < 10; i++) {
        id[2] = (char)('0' + i);
        wanted[i] = window_of(id, 1000 * i, 1000 * i + 500);
    }
    assert_int_equal(take(&known, wanted, 10, 0, changes), 4);
    assert_int_equal(take(&known, wanted, 10, 0, changes), 4);
    assert_int_equal(take(&known, wanted, 10, 0, changes), 2);
    assert_int_equal(take(&known, wanted, 10, 0, changes), 0);
    assert_int_equal(known.count, 10);
    windows_free(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_then_nothing),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_wanted_again),
        cmocka_unit_test(test_taken_over_is_left_alone),
        cmocka_unit_test(test_other_origins_are_left_alone),
        cmocka_unit_test(test_on_behalf_of_somebody),
        cmocka_unit_test(test_a_change_of_what_another_agent_has_is_taken_over),
        cmocka_unit_test(test_the_new_one_comes_before_the_old_one_goes),
        cmocka_unit_test(test_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
