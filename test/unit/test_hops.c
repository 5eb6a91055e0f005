// Where the time went: deltas from hop to hop with their errors, and which was the longest.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "core/hops.h"

#define T0 INT64_C(1795705200)

static struct trace way(size_t count, const int64_t *seconds)
{
    struct trace trace = {.count = count};
    for (size_t i = 0; i < count; i++) {
        char name[] = "mx0";
        name[2] = (char)('1' + i);
        text_copy(trace.hops[i].by, sizeof trace.hops[i].by, name);
        trace.hops[i].time.ns = seconds[i] < 0 ? 0 : (T0 + seconds[i]) * 1000000000;
    }
    return trace;
}

static struct walltime at(int64_t ms)
{
    return (struct walltime){T0 * 1000000000 + ms * 1000000};
}

static void assert_delta(const struct hop_delta *delta, int64_t ms, int64_t error_ms)
{
    assert_true(delta->known);
    assert_int_equal(delta->delta.ns, ms * 1000000);
    assert_int_equal(delta->error.ns, error_ms * 1000000);
}

static void test_deltas_and_their_errors(void **state)
{
    (void)state;
    const int64_t times[] = {0, 12, 12};
    struct trace trace = way(3, times);
    struct hops hops;
    struct slowest_hop slowest;
    hops_measure(&trace, at(200), SPAN_MS(300), at(12500), SPAN_MS(50), &hops);
    assert_delta(&hops.of[0], -200, 1300); // stamped before it was sent: what a second leaves open
    assert_delta(&hops.of[1], 12000, 1000);
    assert_delta(&hops.of[2], 0, 1000);
    assert_delta(&hops.of[3], 500, 1050);
    assert_int_equal(hops.slowest, 1);
    hops_name_slowest(&trace, &hops, &slowest);
    assert_string_equal(slowest.to, "mx2");
    assert_string_equal(slowest.from, "mx1");
    assert_int_equal(slowest.delay.ns, 12000000000);
}

static void test_negative_deltas_stay_negative(void **state)
{
    (void)state;
    const int64_t times[] = {100, 40, 41};
    struct trace trace = way(3, times);
    struct hops hops;
    hops_measure(&trace, at(0), SPAN_ZERO, at(41000), SPAN_ZERO, &hops);
    assert_delta(&hops.of[0], 100000, 101000);
    assert_false(hops.of[0].believed);
    assert_delta(&hops.of[1], 40000, 1000); // of the agent: what lies between cannot be right
    assert_delta(&hops.of[2], 1000, 1000);
    assert_int_equal(hops.slowest, 1);
    hops_measure(&trace, at(0), SPAN_ZERO, at(100000), SPAN_ZERO, &hops);
    assert_delta(&hops.of[0], 100000, 61000);
    assert_delta(&hops.of[1], -60000, 61000);
    assert_delta(&hops.of[2], 1000, 1000);
    assert_delta(&hops.of[3], 59000, 1000 + 59000);
    assert_int_equal(hops.slowest, 0); // 40 s of it are disputed by none
}

// The second server holds it back for 100 s, and the clock of the one before is 200 s ahead.
static void test_a_clock_that_is_ahead_takes_no_blame(void **state)
{
    (void)state;
    const int64_t times[] = {0, 201, 101};
    struct trace trace = way(3, times);
    struct hops hops;
    struct slowest_hop slowest;
    hops_measure(&trace, at(0), SPAN_ZERO, at(101000), SPAN_ZERO, &hops);
    assert_false(hops.of[1].believed);
    assert_delta(&hops.of[1], 201000, 202000);
    assert_delta(&hops.of[2], 101000, 1000);
    hops_name_slowest(&trace, &hops, &slowest);
    assert_string_equal(slowest.to, "mx3");
    assert_string_equal(slowest.from, "mx1");
    assert_int_equal(slowest.delay.ns, 101000000000);
    assert_ptr_equal(hops_before(&trace, &hops, 2), &trace.hops[0]);
    assert_null(hops_before(&trace, &hops, 0));
}

static void test_a_year_ahead_or_behind_is_not_believed(void **state)
{
    (void)state;
    const int64_t year = 31536000;
    for (int64_t off = -year; off <= year; off += 2 * year) {
        const int64_t times[] = {1, 1, 2};
        struct trace trace = way(3, times);
        struct hops hops;
        trace.hops[1].time.ns += off * 1000000000;
        hops_measure(&trace, at(0), SPAN_ZERO, at(3000), SPAN_ZERO, &hops);
        assert_int_equal(hops.slowest, -1);
        assert_false(hops.of[1].believed);
        assert_true(hops.of[1].delta.ns - hops.of[1].error.ns <= 0);
        assert_true(hops.of[1].delta.ns + hops.of[1].error.ns >= 3000000000);
        assert_delta(&hops.of[2], 1000, 1000);
    }
}

// One of the two in the middle is wrong, and it cannot be known which.
static void test_what_runs_backwards_is_counted_only_as_far_as_undisputed(void **state)
{
    (void)state;
    const int64_t times[] = {0, 50, 20};
    struct trace trace = way(3, times);
    struct hops hops;
    hops_measure(&trace, at(0), SPAN_ZERO, at(100000), SPAN_ZERO, &hops);
    assert_delta(&hops.of[1], 50000, 31000);
    assert_delta(&hops.of[2], -30000, 31000);
    assert_delta(&hops.of[3], 80000, 31000);
    assert_int_equal(hops.slowest, 3);
}

// A server that takes it over twice (a filter) writes its wrong time twice.
static void test_two_stamps_of_one_wrong_clock(void **state)
{
    (void)state;
    const int64_t times[] = {0, 60, 60, 0};
    struct trace trace = way(4, times);
    struct hops hops;
    hops_measure(&trace, at(0), SPAN_ZERO, at(100000), SPAN_ZERO, &hops);
    assert_delta(&hops.of[1], 60000, 61000);
    assert_int_equal(hops.slowest, 4);
}

// A clock of ours that is off far: it arrived before it was sent.
static void test_a_life_that_runs_backwards(void **state)
{
    (void)state;
    const int64_t times[] = {100, 0};
    struct trace trace = way(2, times);
    struct hops hops;
    hops_measure(&trace, at(100000), SPAN_ZERO, at(500), SPAN_ZERO, &hops);
    assert_true(hops.of[0].believed && hops.of[1].believed);
    assert_int_equal(hops.slowest, -1);
}

static void test_what_was_left_out_is_not_the_agent(void **state)
{
    (void)state;
    const int64_t times[] = {90, 90};
    struct trace trace = way(2, times);
    struct hops hops;
    struct slowest_hop slowest;
    for (int cut = 0; cut < 2; cut++) {
        trace.cut = cut;
        trace.more = cut ? 0 : 168;
        hops_measure(&trace, at(0), SPAN_ZERO, at(90000), SPAN_ZERO, &hops);
        hops_name_slowest(&trace, &hops, &slowest);
        assert_string_equal(slowest.to, "mx1");
        assert_string_equal(slowest.from, HOP_EARLIER);
    }
}

static void test_nothing_within_its_error_is_slowest(void **state)
{
    (void)state;
    const int64_t times[] = {1, 2};
    struct trace trace = way(2, times);
    struct hops hops;
    struct slowest_hop slowest;
    hops_measure(&trace, at(0), SPAN_MS(200), at(2900), SPAN_ZERO, &hops);
    assert_int_equal(hops.slowest, -1);
    hops_name_slowest(&trace, &hops, &slowest);
    assert_string_equal(slowest.to, "");
}

static void test_a_hop_without_time_is_passed_over(void **state)
{
    (void)state;
    const int64_t times[] = {0, -1, 30};
    struct trace trace = way(3, times);
    struct hops hops;
    struct slowest_hop slowest;
    hops_measure(&trace, at(0), SPAN_ZERO, WALLTIME_NONE, SPAN_ZERO, &hops);
    assert_false(hops.of[1].known);
    assert_delta(&hops.of[2], 30000, 1000);
    assert_false(hops.of[3].known);
    hops_name_slowest(&trace, &hops, &slowest);
    assert_string_equal(slowest.to, "mx3");
    assert_string_equal(slowest.from, "mx1");
}

static void test_the_ends(void **state)
{
    (void)state;
    const int64_t times[] = {9, 9};
    struct trace trace = way(2, times);
    struct hops hops;
    struct slowest_hop slowest;
    hops_measure(&trace, at(0), SPAN_ZERO, at(10000), SPAN_ZERO, &hops);
    hops_name_slowest(&trace, &hops, &slowest);
    assert_string_equal(slowest.to, "mx1");
    assert_string_equal(slowest.from, HOP_AGENT);
    hops_measure(&trace, at(8000), SPAN_ZERO, at(90000), SPAN_ZERO, &hops);
    hops_name_slowest(&trace, &hops, &slowest);
    assert_string_equal(slowest.to, HOP_MAILBOX);
    assert_string_equal(slowest.from, "mx2");
    trace.count = 0;
    hops_measure(&trace, at(0), SPAN_ZERO, at(90000), SPAN_ZERO, &hops);
    assert_int_equal(hops.slowest, -1);
}

static void test_a_full_way(void **state)
{
    (void)state;
    struct trace trace = {.count = HOPS_MAXIMUM, .more = 168};
    struct hops hops;
    for (size_t i = 0; i < HOPS_MAXIMUM; i++) {
        trace.hops[i].time = at((int64_t)i * 1000);
    }
    hops_measure(&trace, at(0), SPAN_ZERO, at(60000), SPAN_ZERO, &hops);
    assert_int_equal(hops.slowest, HOPS_MAXIMUM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deltas_and_their_errors),
        cmocka_unit_test(test_negative_deltas_stay_negative),
        cmocka_unit_test(test_a_clock_that_is_ahead_takes_no_blame),
        cmocka_unit_test(test_a_year_ahead_or_behind_is_not_believed),
        cmocka_unit_test(test_what_runs_backwards_is_counted_only_as_far_as_undisputed),
        cmocka_unit_test(test_two_stamps_of_one_wrong_clock),
        cmocka_unit_test(test_a_life_that_runs_backwards),
        cmocka_unit_test(test_what_was_left_out_is_not_the_agent),
        cmocka_unit_test(test_nothing_within_its_error_is_slowest),
        cmocka_unit_test(test_a_hop_without_time_is_passed_over),
        cmocka_unit_test(test_the_ends),
        cmocka_unit_test(test_a_full_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
