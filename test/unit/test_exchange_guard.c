// Which requests of a peer are fresh: by their clock, and seen for the first time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shell/exchange_guard.h"

#define NOW 1790000000

static struct walltime at(int64_t second)
{
    return (struct walltime){second * 1000000000};
}

static struct probe_id nonce(uint32_t number)
{
    struct probe_id id = {{0}};
    for (size_t i = 0; i < sizeof number; i++) {
        id.bytes[i] = (uint8_t)(number >> (8 * i));
    }
    return id;
}

static enum exchange_freshness admit_at(struct exchange_guard *guard, uint32_t number, int64_t ms,
                                        int64_t now_ms)
{
    struct probe_id id = nonce(number);
    struct walltime begin = at(NOW);
    return exchange_guard_admit(guard, &id, walltime_add(begin, SPAN_MS(ms)),
                                walltime_add(begin, SPAN_MS(now_ms)));
}

static enum exchange_freshness admit(struct exchange_guard *guard, uint32_t number, int64_t time,
                                     int64_t now)
{
    struct probe_id id = nonce(number);
    return exchange_guard_admit(guard, &id, at(time), at(now));
}

static void test_made_at_about_this_time(void **state)
{
    (void)state;
    struct exchange_guard guard = {0};
    assert_int_equal(admit(&guard, 1, NOW, NOW), EXCHANGE_GUARD_FRESH);
    assert_int_equal(admit(&guard, 2, NOW - 600, NOW), EXCHANGE_GUARD_FRESH);
    assert_int_equal(admit(&guard, 3, NOW + 600, NOW), EXCHANGE_GUARD_FRESH);
    assert_int_equal(admit(&guard, 4, NOW - 601, NOW), EXCHANGE_GUARD_STALE);
    assert_int_equal(admit(&guard, 5, NOW + 601, NOW), EXCHANGE_GUARD_STALE);
    exchange_guard_free(&guard);
}

static void test_once(void **state)
{
    (void)state;
    struct exchange_guard guard = {0};
    assert_int_equal(admit(&guard, 1, NOW, NOW), EXCHANGE_GUARD_FRESH);
    assert_int_equal(admit(&guard, 1, NOW, NOW), EXCHANGE_GUARD_REPLAYED);
    assert_int_equal(admit(&guard, 1, NOW, NOW + 600), EXCHANGE_GUARD_REPLAYED);
    assert_int_equal(admit(&guard, 1, NOW, NOW + 601), EXCHANGE_GUARD_STALE);
    exchange_guard_free(&guard);
}

// A clock of the peer that goes ahead for a while: its nonces stay known until they are stale.
static void test_once_whatever_the_clocks_do(void **state)
{
    (void)state;
    struct exchange_guard guard = {0};
    assert_int_equal(admit(&guard, 1, NOW + 500, NOW), EXCHANGE_GUARD_FRESH);
    assert_int_equal(admit(&guard, 2, NOW + 700, NOW + 700), EXCHANGE_GUARD_FRESH);
    assert_int_equal(admit(&guard, 1, NOW + 500, NOW + 1100), EXCHANGE_GUARD_REPLAYED);
    exchange_guard_free(&guard);
}

static void test_not_before_the_floor(void **state)
{
    (void)state;
    struct exchange_guard guard = {.floor = at(NOW)};
    assert_int_equal(admit(&guard, 1, NOW - 1, NOW + 5), EXCHANGE_GUARD_STALE);
    assert_int_equal(admit(&guard, 2, NOW, NOW + 5), EXCHANGE_GUARD_STALE);
    assert_int_equal(admit(&guard, 3, NOW + 1, NOW + 5), EXCHANGE_GUARD_FRESH);
    exchange_guard_free(&guard);
}

// Ten thousand in ten seconds: memory stays bounded, and not one of them is taken twice.
static void test_a_flood(void **state)
{
    (void)state;
    struct exchange_guard guard = {0};
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(admit_at(&guard, i, i, i), EXCHANGE_GUARD_FRESH);
    }
    assert_int_equal(guard.count, NONCES_MAXIMUM);
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_not_equal(admit_at(&guard, i, i, 10000), EXCHANGE_GUARD_FRESH);
    }
    exchange_guard_free(&guard);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(test_made_at_about_this_time),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_once_whatever_the_clocks_do),
        cmocka_unit_test(test_not_before_the_floor),
        cmocka_unit_test(test_a_flood),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
