// What a path is used to: routes, verdicts, folders; when that has turned, and when it is over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/habits.h"

static void learn(struct route_memory *memory, const char *route, int times)
{
    for (int i = 0; i < times; i++) {
        struct route_step step = route_note(memory, route, 3, false);
        assert_false(step.strange || step.changed);
    }
}

static void test_a_route_is_learned_and_changes(void **state)
{
    (void)state;
    struct route_memory memory = {.learned = 0};
    learn(&memory, "a b", ROUTE_LEARNING - 1);
    assert_false(route_knows(&memory));
    learn(&memory, "a b", 1);
    assert_true(route_knows(&memory));
    for (int i = 1; i <= 5; i++) {
        struct route_step step = route_note(&memory, "a x b", 3, false);
        assert_true(step.strange);
        assert_int_equal(step.changed, i == 3);
    }
    assert_false(route_note(&memory, "a b", 3, false).strange);
    assert_int_equal(memory.usual, 1);
    assert_int_equal(memory.strange, 0);
}

// What is written down does not change for ever.
static void test_a_row_is_counted_as_far_as_it_matters(void **state)
{
    (void)state;
    struct route_memory memory = {.learned = 0};
    learn(&memory, "a b", ROUTE_LEARNING + 100);
    assert_int_equal(memory.usual, ROUTE_COUNTED);
    for (int i = 1; i <= 100; i++) {
        assert_int_equal(route_note(&memory, "a x b", ROUTE_COUNTED, false).changed,
                         i == ROUTE_COUNTED);
    }
    assert_int_equal(memory.strange, ROUTE_COUNTED);
}

static void test_up_to_four_routes_are_known(void **state)
{
    (void)state;
    static const char *const ROUTES[] = {"a", "b", "c", "d", "e"};
    struct route_memory memory = {.learned = 0};
    for (int i = 0; i < 12; i++) {
        route_note(&memory, ROUTES[i % 4], 3, false);
    }
    assert_true(route_knows(&memory));
    assert_int_equal(memory.known.count, 4);
    assert_true(route_note(&memory, "e", 3, false).strange);
    struct route_memory unsteady = {.learned = 0};
    for (int i = 0; i < 100; i++) {
        assert_false(route_note(&unsteady, ROUTES[i % 5], 3, false).strange);
    }
    assert_false(route_knows(&unsteady));
}

static void test_a_window_teaches_nothing_and_expects_anything(void **state)
{
    (void)state;
    struct route_memory memory = {.learned = 0};
    for (int i = 0; i < 20; i++) {
        route_note(&memory, "w", 3, true);
    }
    assert_int_equal(memory.learned, 0);
    learn(&memory, "a", ROUTE_LEARNING);
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(route_note(&memory, "w", 3, true).changed, i == 3);
    }
    assert_int_equal(memory.strange, 0);
    assert_int_equal(memory.fresh.count, 0);
    assert_false(route_note(&memory, "w", 3, false).changed);
}

static void test_what_is_accepted_is_known(void **state)
{
    (void)state;
    struct route_memory memory = {.learned = 0};
    learn(&memory, "a", ROUTE_LEARNING);
    route_note(&memory, "x", 3, false);
    route_note(&memory, "y", 3, false);
    route_accept(&memory);
    assert_false(route_note(&memory, "x", 3, false).strange);
    assert_false(route_note(&memory, "y", 3, false).strange);
    assert_true(route_note(&memory, "a", 3, false).strange);
}

static int note(struct auth_memory *memory, enum auth_method method, enum auth_result result)
{
    struct authentication found = {.authserv_id = "m"};
    found.results[method] = result;
    auth_memory_note(memory, &found, 2);
    return auth_memory_turned(memory, &found);
}

static void test_a_verdict_turns_from_pass_only(void **state)
{
    (void)state;
    struct auth_memory memory = {.passed = 0};
    assert_int_equal(note(&memory, AUTH_SPF, AUTH_FAIL), -1); // never passed
    assert_int_equal(note(&memory, AUTH_SPF, AUTH_PASS), -1);
    assert_int_equal(note(&memory, AUTH_SPF, AUTH_ABSENT), -1);
    assert_int_equal(note(&memory, AUTH_SPF, AUTH_SOFTFAIL), AUTH_SPF);
    assert_int_equal(note(&memory, AUTH_SPF, AUTH_PASS), -1);
    assert_int_not_equal(memory.failing, 0);
    assert_int_equal(note(&memory, AUTH_SPF, AUTH_PASS), -1);
    assert_int_equal(memory.failing, 0);
    assert_int_equal(memory.passes[AUTH_SPF], 0); // nothing to count any more
    assert_int_equal(note(&memory, AUTH_ARC, AUTH_PASS), -1);
    assert_int_equal(note(&memory, AUTH_ARC, AUTH_FAIL), -1); // not judged
    assert_int_equal(memory.last[AUTH_ARC], AUTH_FAIL);
}

static void test_a_server_that_cannot_say_is_given_time(void **state)
{
    (void)state;
    struct auth_memory memory = {.passed = 0};
    note(&memory, AUTH_DKIM, AUTH_PASS);
    assert_int_equal(note(&memory, AUTH_DKIM, AUTH_TEMPERROR), -1);
    assert_int_equal(note(&memory, AUTH_DKIM, AUTH_TEMPERROR), -1);
    assert_int_equal(note(&memory, AUTH_DKIM, AUTH_PASS), -1);
    assert_int_equal(note(&memory, AUTH_DKIM, AUTH_TEMPERROR), -1);
    assert_int_equal(note(&memory, AUTH_DKIM, AUTH_TEMPERROR), -1);
    assert_int_equal(note(&memory, AUTH_DKIM, AUTH_TEMPERROR), AUTH_DKIM);
}

static void test_what_is_not_told_any_more_is_let_go(void **state)
{
    (void)state;
    const struct authentication nothing = {.authserv_id = ""};
    struct auth_memory memory = {.passed = 0};
    note(&memory, AUTH_DKIM, AUTH_PASS);
    note(&memory, AUTH_DKIM, AUTH_FAIL);
    for (int i = 1; i < AUTH_UNTOLD; i++) {
        assert_false(auth_memory_note(&memory, &nothing, 2));
    }
    note(&memory, AUTH_DKIM, AUTH_FAIL); // begins the count anew
    for (int i = 1; i < AUTH_UNTOLD; i++) {
        assert_false(auth_memory_note(&memory, &nothing, 2));
    }
    assert_int_not_equal(memory.failing, 0);
    assert_true(auth_memory_note(&memory, &nothing, 2));
    assert_int_equal(memory.failing, 0);
    assert_false(auth_memory_note(&memory, &nothing, 2));
    assert_int_equal(note(&memory, AUTH_DKIM, AUTH_FAIL), AUTH_DKIM); // it has passed once
}

static void test_placements(void **state)
{
    (void)state;
    struct placement placement = {.count = 0};
    const bool came[] = {true, false, true, false, true};
    for (int i = 0; i < 5; i++) {
        placement_note(&placement, came[i], false);
    }
    assert_int_equal(placement_misplaced(&placement), PLACEMENTS_MISPLACED);
    assert_false(placement_is_right(&placement, 1));
    placement_note(&placement, false, false);
    assert_false(placement_is_right(&placement, 2));
    placement_note(&placement, false, false);
    assert_true(placement_is_right(&placement, 2));
    for (int i = 0; i < 100; i++) {
        placement_note(&placement, false, false);
    }
    assert_int_equal(placement_misplaced(&placement), 0);
    assert_true(placement_is_right(&placement, 64)); // all that is kept
}

static void test_what_a_window_touches_counts_beside_its_like_only(void **state)
{
    (void)state;
    struct placement placement = {.count = 0};
    placement_note(&placement, true, false);
    placement_note(&placement, true, true);
    placement_note(&placement, true, true);
    assert_int_equal(placement_misplaced(&placement), 3);
    assert_int_equal(placement_counted(&placement), 3);
    placement_note(&placement, true, false);
    assert_int_equal(placement_misplaced(&placement), 2);
    assert_int_equal(placement_counted(&placement), 2);
    placement_note(&placement, false, false);
    assert_int_equal(placement_misplaced(&placement), 2);
    assert_int_equal(placement_counted(&placement), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_route_is_learned_and_changes),
        cmocka_unit_test(test_a_row_is_counted_as_far_as_it_matters),
        cmocka_unit_test(test_up_to_four_routes_are_known),
        cmocka_unit_test(test_a_window_teaches_nothing_and_expects_anything),
        cmocka_unit_test(test_what_is_accepted_is_known),
        cmocka_unit_test(test_a_verdict_turns_from_pass_only),
        cmocka_unit_test(test_a_server_that_cannot_say_is_given_time),
        cmocka_unit_test(test_what_is_not_told_any_more_is_let_go),
        cmocka_unit_test(test_placements),
        cmocka_unit_test(test_what_a_window_touches_counts_beside_its_like_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
