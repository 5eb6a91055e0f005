// Two clocks and what mail tells of their difference.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "core/clock_offset.h"

#define MS(n) ((struct span){INT64_C(1000000) * (n)})
#define NOW   ((struct instant){0})

static void test_estimates(void **state)
{
    (void)state;
    static const struct offset_case {
        int64_t in; // ms, as the clocks show it
        int64_t out;
        int64_t offset;
        int64_t error;
        int64_t correction;
        int64_t error_used;
    } cases[] = {
        {1000, 1000, 0, 1000, 0, 0},
        {1000, 3000, 1000, 2000, 0, 0}, // nothing says that they differ
        {-29000, 31000, 30000, 1000, 30000, 1000},
        {31000, -29000, -30000, 1000, -30000, 1000},
        {-3599990, 3600010, 3600000, 10, 3600000, 10},
        {-10, 5, 7, 2, 7, 2}, // drift since the older of the two: no step
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct clock_relation relation = {0};
        assert_true(clock_relation_observe(&relation, INBOUND, MS(cases[i].in), NOW));
        assert_false(clock_relation_estimate(&relation, NOW).known);
        assert_true(clock_relation_observe(&relation, OUTBOUND, MS(cases[i].out), NOW));
        struct clock_estimate estimate = clock_relation_estimate(&relation, NOW);
        assert_true(estimate.known);
        assert_int_equal(estimate.offset.ns / 1000000, cases[i].offset);
        assert_int_equal(estimate.error.ns / 1000000, cases[i].error);
        assert_int_equal(clock_relation_correction(&relation, NOW).ns / 1000000,
                         cases[i].correction);
        assert_int_equal(clock_relation_error(&relation, NOW).ns / 1000000, cases[i].error_used);
    }
}

// By mail alone, clocks that may be right are believed as far as their kernels say.
static void test_what_kernels_claim(void **state)
{
    (void)state;
    static const struct {
        int64_t claimed;
        int64_t error_used;
    } cases[] = {{0, 0}, {20, 20}, {5000, 3000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct clock_relation relation = {.claimed = MS(cases[i].claimed)};
        clock_relation_observe(&relation, INBOUND, MS(1000), NOW);
        clock_relation_observe(&relation, OUTBOUND, MS(3000), NOW);
        assert_int_equal(clock_relation_error(&relation, NOW).ns / 1000000, cases[i].error_used);
    }
}

// What mail has shown holds less as it grows old.
static void test_the_bound_widens(void **state)
{
    (void)state;
    struct clock_relation relation = {0};
    clock_relation_observe(&relation, INBOUND, MS(10), NOW);
    clock_relation_observe(&relation, OUTBOUND, MS(10), NOW);
    struct instant later = {SPAN_SECONDS(1000).ns};
    assert_int_equal(clock_relation_estimate(&relation, NOW).error.ns, MS(10).ns);
    assert_int_equal(clock_relation_estimate(&relation, later).error.ns, MS(110).ns);
}

// Whatever the delays, the true offset lies within the error.
static void test_the_truth_lies_within(void **state)
{
    (void)state;
    struct random_stream random = random_stream_from(3);
    for (int round = 0; round < 2000; round++) {
        struct clock_relation relation = {0};
        int64_t offset = (int64_t)(random_stream_next(&random) % 200000) - 100000;
        for (int i = 0; i < 200; i++) {
            enum direction way = random_stream_next(&random) % 2 == 0 ? INBOUND : OUTBOUND;
            int64_t delay = 1 + (int64_t)(random_stream_next(&random) % 60000);
            int64_t shown = way == INBOUND ? delay - offset : delay + offset;
            assert_true(clock_relation_observe(&relation, way, MS(shown), NOW));
        }
        struct clock_estimate estimate = clock_relation_estimate(&relation, NOW);
        assert_true(estimate.offset.ns - estimate.error.ns <= MS(offset).ns);
        assert_true(estimate.offset.ns + estimate.error.ns >= MS(offset).ns);
    }
}

static void test_old_samples_are_forgotten(void **state)
{
    (void)state;
    struct clock_relation relation = {0};
    clock_relation_observe(&relation, OUTBOUND, MS(100), NOW);
    clock_relation_observe(&relation, INBOUND, MS(100), NOW);
    for (int i = 0; i < CLOCK_BUCKETS * CLOCK_BUCKET_SAMPLES; i++) {
        clock_relation_observe(&relation, INBOUND, MS(5000), NOW);
    }
    assert_int_equal(clock_relation_estimate(&relation, NOW).error.ns, MS(2550).ns);
}

// What clocks that are beside all reason make of it: bounded, and no overflow.
static void test_the_farthest_clocks(void **state)
{
    (void)state;
    static const struct span farthest[] = {{INT64_MIN}, {INT64_MAX}};
    for (size_t i = 0; i < 4; i++) {
        struct clock_relation relation = {0};
        clock_relation_observe(&relation, OUTBOUND, farthest[i / 2], NOW);
        clock_relation_contradiction(&relation, INBOUND, farthest[i % 2], NOW);
        clock_relation_observe(&relation, INBOUND, farthest[i % 2], NOW);
        clock_relation_correction(&relation, NOW);
        assert_true(clock_relation_error(&relation, NOW).ns >= 0);
    }
}

static void test_a_step(void **state)
{
    (void)state;
    static const int64_t hours[] = {1, -1};
    for (size_t i = 0; i < 2; i++) {
        struct clock_relation relation = {0};
        int64_t step = hours[i] * 3600000; // of the peer's clock
        clock_relation_observe(&relation, INBOUND, MS(1000), NOW);
        clock_relation_observe(&relation, OUTBOUND, MS(1000), NOW);
        // One way seems late, which says nothing; the other comes before it was sent.
        enum direction late = hours[i] > 0 ? OUTBOUND : INBOUND;
        enum direction early = hours[i] > 0 ? INBOUND : OUTBOUND;
        assert_true(clock_relation_observe(&relation, late, MS(3601000), NOW));
        assert_false(clock_relation_observe(&relation, early, MS(-3599000), NOW));
        assert_false(clock_relation_estimate(&relation, NOW).known);
        assert_true(clock_relation_error(&relation, NOW).ns >= MS(3590000).ns);
        assert_true(clock_relation_observe(&relation, late, MS(3601000), NOW));
        assert_int_equal(clock_relation_correction(&relation, NOW).ns, MS(step).ns);
        assert_int_equal(clock_relation_error(&relation, NOW).ns, MS(1000).ns);
    }
}

static void test_our_own_step(void **state)
{
    (void)state;
    struct clock_relation relation = {0};
    clock_relation_observe(&relation, INBOUND, MS(1000), NOW);
    clock_relation_observe(&relation, OUTBOUND, MS(1000), NOW);
    clock_relation_step(&relation, MS(-3600000));
    assert_false(clock_relation_estimate(&relation, NOW).known);
    assert_int_equal(clock_relation_correction(&relation, NOW).ns, 0);
    assert_int_equal(clock_relation_error(&relation, NOW).ns, MS(3600000).ns);
    clock_relation_step(&relation, MS(5000)); // the larger one is still in what comes
    assert_int_equal(clock_relation_error(&relation, NOW).ns, MS(3600000).ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_estimates),
        cmocka_unit_test(test_what_kernels_claim),
        cmocka_unit_test(test_the_bound_widens),
        cmocka_unit_test(test_the_truth_lies_within),
        cmocka_unit_test(test_old_samples_are_forgotten),
        cmocka_unit_test(test_the_farthest_clocks),
        cmocka_unit_test(test_a_step),
        cmocka_unit_test(test_our_own_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
