// Probes in flight: kept by sent, found by id.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/random.h"
#include "core/flight.h"

static struct probe_id id_of(uint32_t number)
{
    struct probe_id id = {{0}};
    memcpy(id.bytes, &number, sizeof number);
    return id;
}

static void add(struct flights *flights, uint32_t number, int64_t sent)
{
    struct probe_id id = id_of(number);
    flights_add(flights, &id, (struct walltime){sent});
}

static void test_order_is_by_sent(void **state)
{
    (void)state;
    struct flights flights = {0};
    struct random_stream random = random_stream_from(3);
    for (uint32_t i = 0; i < 1000; i++) {
        add(&flights, i, (int64_t)(random_stream_next(&random) % 500));
    }
    assert_int_equal(flights.count, 1000);
    for (size_t i = 1; i < flights.count; i++) {
        assert_true(flights.items[i - 1].sent.ns <= flights.items[i].sent.ns);
    }
    flights_free(&flights);
    assert_int_equal(flights.count, 0);
}

static void test_removal_closes_the_gap(void **state)
{
    (void)state;
    struct flights flights = {0};
    for (uint32_t i = 0; i < 5; i++) {
        add(&flights, i, i);
    }
    flights_remove(&flights, 2);
    flights_remove(&flights, 0);
    struct probe_id gone = id_of(2), first = id_of(1), last = id_of(4);
    assert_int_equal(flights_find(&flights, &gone), -1);
    assert_int_equal(flights_find(&flights, &first), 0);
    assert_int_equal(flights_find(&flights, &last), 2);
    assert_int_equal(flights.count, 3);
    flights_free(&flights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_by_sent),
        cmocka_unit_test(test_removal_closes_the_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
