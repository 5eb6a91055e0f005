// The newest decisions of a path: cohorts, counts since, restarts, the median.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/decision.h"

static void add(struct decisions *decisions, int64_t second, enum verdict verdict, int64_t residual)
{
    decisions_add(decisions, (struct walltime){second * 1000000000}, SPAN_SECONDS(residual),
                  SPAN_ZERO, SPAN_SECONDS(residual), verdict);
}

static void test_coarse_figures_stay_out_of_the_median(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    for (int i = 1; i <= 3; i++) { // seen half a second late: all there is, at first
        decisions_add(&decisions, (struct walltime){i}, SPAN_MS(510), SPAN_MS(930), SPAN_MS(510),
                      VERDICT_ON_TIME);
    }
    assert_true(decisions_median(&decisions) > 0.5);
    decisions_add(&decisions, (struct walltime){9}, SPAN_MS(8), SPAN_MS(3), SPAN_MS(8),
                  VERDICT_ON_TIME);
    assert_true(decisions_median(&decisions) < 0.009);
    decisions_free(&decisions);
}

static void test_a_drain_stays_out_of_the_median(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    add(&decisions, 1000, VERDICT_DRAINED, 900);
    add(&decisions, 1001, VERDICT_EXCUSED, 800);
    assert_true(decisions_median(&decisions) == 850);
    add(&decisions, 1100, VERDICT_ON_TIME, 2);
    assert_true(decisions_median(&decisions) == 2);
    decisions_free(&decisions);
}

static void test_excused_and_drained_decide_nothing(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    for (int i = 1; i <= 3; i++) {
        add(&decisions, i * 100, VERDICT_LATE, 90);
        add(&decisions, i * 100 + 10, VERDICT_EXCUSED, 0);
        add(&decisions, i * 100 + 20, VERDICT_DRAINED, 900);
    }
    assert_int_equal(decisions_above(&decisions, 3, SPAN_SECONDS(60)), 3);
    add(&decisions, 900, VERDICT_ON_TIME, 1);
    assert_int_equal(decisions_above(&decisions, 3, SPAN_SECONDS(60)), 2);
    assert_int_equal(decisions_above(&decisions, 5, SPAN_SECONDS(60)), 3);
    assert_int_equal(decisions_above(&decisions, 5, SPAN_SECONDS(100)), 0);
    decisions_free(&decisions);
}

static void test_a_flush_is_one_decision(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    for (int i = 0; i < 25; i++) {
        add(&decisions, 1000 + i / 5, VERDICT_LATE, 100 + i);
        add(&decisions, 1000 + i / 5, VERDICT_ON_TIME, 1);
    }
    assert_int_equal(decisions_above(&decisions, DECISIONS_KEPT, SPAN_SECONDS(60)), 1);
    // it is as late as its latest member
    assert_int_equal(decisions_above(&decisions, DECISIONS_KEPT, SPAN_SECONDS(123)), 1);
    assert_int_equal(decisions_above(&decisions, DECISIONS_KEPT, SPAN_SECONDS(124)), 0);
    add(&decisions, 1006, VERDICT_LATE, 100);
    assert_int_equal(decisions_above(&decisions, DECISIONS_KEPT, SPAN_SECONDS(60)), 2);
    decisions_free(&decisions);
}

static void test_a_flush_larger_than_the_ring_is_one_decision(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    for (int i = 0; i < 500; i++) {
        add(&decisions, 1000 + i / 125, VERDICT_LATE, 1000 - i);
        assert_int_equal(decisions_above(&decisions, DECISIONS_KEPT, SPAN_SECONDS(60)), 1);
    }
    decisions_free(&decisions);
}

static void test_on_time_since(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    const struct walltime opened = {150000000000};
    add(&decisions, 100, VERDICT_ON_TIME, 1);
    add(&decisions, 140, VERDICT_ON_TIME, 1);
    assert_int_equal(decisions_on_time_since(&decisions, opened), 0);
    add(&decisions, 160, VERDICT_ON_TIME, 1);
    add(&decisions, 170, VERDICT_DRAINED, 500);
    add(&decisions, 220, VERDICT_ON_TIME, 1);
    assert_int_equal(decisions_on_time_since(&decisions, opened), 2);
    add(&decisions, 280, VERDICT_LATE, 90);
    assert_int_equal(decisions_on_time_since(&decisions, opened), 0);
    add(&decisions, 340, VERDICT_ON_TIME, 1);
    assert_int_equal(decisions_on_time_since(&decisions, opened), 1);
    decisions_free(&decisions);
}

static void test_restart_forgets_but_keeps_the_picture(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    for (int i = 0; i < 4; i++) {
        add(&decisions, i * 100, VERDICT_LATE, 90);
    }
    decisions_restart(&decisions);
    assert_int_equal(decisions_above(&decisions, 5, SPAN_SECONDS(60)), 0);
    assert_int_equal(decisions_on_time_since(&decisions, WALLTIME_NONE), 0);
    assert_true(decisions_median(&decisions) > 89.9 && decisions_median(&decisions) < 90.1);
    // a late one right after is a new decision and no member of a forgotten flush
    add(&decisions, 301, VERDICT_LATE, 90);
    assert_int_equal(decisions_above(&decisions, 5, SPAN_SECONDS(60)), 1);
    decisions_free(&decisions);
}

static void test_the_ring_forgets_the_oldest(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    assert_null(decisions_get(&decisions, 0));
    assert_true(decisions_median(&decisions) < 0);
    for (int i = 0; i < 200; i++) {
        add(&decisions, i * 60, VERDICT_ON_TIME, i);
    }
    assert_int_equal(decision_arrived(decisions_get(&decisions, 0)).ns,
                     INT64_C(199) * 60 * 1000000000);
    assert_int_equal(decision_arrived(decisions_get(&decisions, DECISIONS_KEPT - 1)).ns,
                     (int64_t)(200 - DECISIONS_KEPT) * 60 * 1000000000);
    assert_null(decisions_get(&decisions, DECISIONS_KEPT));
    double median = decisions_median(&decisions);
    assert_true(median > 167.4 && median < 167.6);
    decisions_free(&decisions);
}

static void test_with_many_peers_fewer_are_kept(void **state)
{
    (void)state;
    assert_int_equal(decisions_kept(0, 5), DECISIONS_KEPT);
    assert_int_equal(decisions_kept(1000, 5), DECISIONS_KEPT);
    assert_int_equal(decisions_kept(2000, 5), 32);
    assert_int_equal(decisions_kept(10000, 5), DECISIONS_KEPT_LEAST);
    assert_int_equal(decisions_kept(10000, 40), 40);
}

static void test_what_is_kept_changes_with_the_peers(void **state)
{
    (void)state;
    struct decisions decisions = {0};
    for (int i = 0; i < 100; i++) {
        add(&decisions, i, VERDICT_ON_TIME, i);
    }
    decisions_keep(&decisions, 16);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(decision_arrived(decisions_get(&decisions, (size_t)i)).ns,
                         INT64_C(1000000000) * (99 - i));
    }
    assert_null(decisions_get(&decisions, 16));
    add(&decisions, 100, VERDICT_ON_TIME, 100);
    assert_null(decisions_get(&decisions, 16));
    decisions_keep(&decisions, DECISIONS_KEPT);
    add(&decisions, 101, VERDICT_ON_TIME, 101);
    assert_int_equal(decision_arrived(decisions_get(&decisions, 16)).ns, INT64_C(85000000000));
    decisions_free(&decisions);
    assert_null(decisions_get(&decisions, 0));
}

static void test_a_step_of_the_clock_moves_them_all(void **state)
{
    (void)state;
    struct decisions decisions = {.kept = 16};
    for (int second = 1; second <= 20; second++) {
        decisions_add(&decisions, (struct walltime){INT64_C(1000000000) * second}, SPAN_SECONDS(1),
                      SPAN_ZERO, SPAN_SECONDS(1), VERDICT_ON_TIME);
    }
    decisions_step(&decisions, SPAN_MS(-5500)); // the oldest arrived in its fifth second
    for (size_t i = 0; i < 16; i++) {
        int64_t want = INT64_C(14500000000) - INT64_C(1000000000) * (int64_t)i;
        assert_int_equal(decision_arrived(decisions_get(&decisions, i)).ns, want > 0 ? want : 0);
    }
    decisions_free(&decisions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_coarse_figures_stay_out_of_the_median),
        cmocka_unit_test(test_a_drain_stays_out_of_the_median),
        cmocka_unit_test(test_excused_and_drained_decide_nothing),
        cmocka_unit_test(test_a_flush_is_one_decision),
        cmocka_unit_test(test_a_flush_larger_than_the_ring_is_one_decision),
        cmocka_unit_test(test_on_time_since),
        cmocka_unit_test(test_restart_forgets_but_keeps_the_picture),
        cmocka_unit_test(test_the_ring_forgets_the_oldest),
        cmocka_unit_test(test_with_many_peers_fewer_are_kept),
        cmocka_unit_test(test_what_is_kept_changes_with_the_peers),
        cmocka_unit_test(test_a_step_of_the_clock_moves_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
