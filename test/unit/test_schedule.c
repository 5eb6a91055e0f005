// The heap of due times: order, moving, removing, growing, and against a plain search at random.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/random.h"
#include "core/schedule.h"

static void test_takes_in_order(void **state)
{
    (void)state;
    struct schedule schedule = {0};
    const int64_t due[] = {50, 10, 40, 20, 30};
    for (uint32_t i = 0; i < 5; i++) {
        schedule_set(&schedule, i, (struct instant){due[i]});
    }
    const uint32_t expected[] = {1, 3, 4, 2, 0};
    uint32_t key;
    assert_int_equal(schedule_next(&schedule).ns, 10);
    assert_false(schedule_take(&schedule, (struct instant){9}, &key));
    for (int i = 0; i < 5; i++) {
        assert_true(schedule_take(&schedule, (struct instant){50}, &key));
        assert_int_equal(key, expected[i]);
    }
    assert_false(schedule_take(&schedule, (struct instant){INT64_MAX}, &key));
    schedule_free(&schedule);
}

static void test_never_removes(void **state)
{
    (void)state;
    struct schedule schedule = {0};
    schedule_set(&schedule, 1000, INSTANT_NEVER);
    assert_int_equal(schedule_next(&schedule).ns, INT64_MAX);
    schedule_set(&schedule, 1000, (struct instant){5});
    schedule_set(&schedule, 2, (struct instant){7});
    schedule_set(&schedule, 1000, INSTANT_NEVER);
    assert_int_equal(schedule_next(&schedule).ns, 7);
    schedule_free(&schedule);
    assert_int_equal(schedule_next(&schedule).ns, INT64_MAX);
}

static int64_t earliest(const int64_t due[], size_t count)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < count; i++) {
        least = due[i] < least ? due[i] : least;
    }
    return least;
}

static void test_agrees_with_a_plain_search(void **state)
{
    (void)state;
    enum { KEYS = 200 };
    int64_t due[KEYS];
    struct schedule schedule = {0};
    struct random_stream random = random_stream_from(42);
    for (size_t i = 0; i < KEYS; i++) {
        due[i] = INT64_MAX;
    }
    for (int step = 0; step < 20000; step++) {
        uint32_t key = (uint32_t)(random_stream_next(&random) % KEYS);
        if (random_stream_next(&random) % 4 == 0) {
            int64_t now = earliest(due, KEYS);
            bool taken =
                schedule_take(&schedule, (struct instant){now == INT64_MAX ? 0 : now}, &key);
            assert_int_equal(taken, now != INT64_MAX);
            if (taken) {
                assert_int_equal(due[key], now);
                due[key] = INT64_MAX;
            }
        } else {
            bool never = random_stream_next(&random) % 5 == 0;
            due[key] = never ? INT64_MAX : (int64_t)(random_stream_next(&random) % 1000);
            schedule_set(&schedule, key, (struct instant){due[key]});
        }
        assert_int_equal(schedule_next(&schedule).ns, earliest(due, KEYS));
    }
    schedule_free(&schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_in_order),
        cmocka_unit_test(test_never_removes),
        cmocka_unit_test(test_agrees_with_a_plain_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
