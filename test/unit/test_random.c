// Randomness of both kinds: the kernel's differs every time, a stream repeats from its seed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

// The first outputs of the reference implementation (Vigna, splitmix64.c) from seed 1234567.
static void test_streams_are_splitmix64(void **state)
{
    (void)state;
    static const uint64_t EXPECTED[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };
    struct random_stream stream = random_stream_from(1234567);
    for (size_t i = 0; i < sizeof EXPECTED / sizeof EXPECTED[0]; i++) {
        assert_true(random_stream_next(&stream) == EXPECTED[i]);
    }
}

static void test_streams_repeat_from_their_seed(void **state)
{
    (void)state;
    struct random_stream a = random_stream_from(7);
    struct random_stream b = random_stream_from(7);
    struct random_stream other = random_stream_from(8);
    assert_true(random_stream_next(&a) == random_stream_next(&b));
    assert_true(random_stream_next(&a) != random_stream_next(&other));
}

static void test_fractions_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 100000, TENTHS = 10 };
    int tenths[TENTHS] = {0};
    struct random_stream stream = random_stream_from(42);
    for (int i = 0; i < DRAWS; i++) {
        double fraction = random_stream_fraction(&stream);
        assert_true(fraction >= 0.0 && fraction < 1.0);
        tenths[(int)(fraction * TENTHS)]++;
    }
    for (int i = 0; i < TENTHS; i++) {
        assert_in_range(tenths[i], DRAWS / TENTHS - 500, DRAWS / TENTHS + 500);
    }
}

static void test_bytes_come_from_the_kernel(void **state)
{
    (void)state;
    uint8_t a[64] = {0};
    uint8_t b[64] = {0};
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b - 1);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(b[sizeof b - 1], 0);
    random_bytes(b, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_are_splitmix64),
        cmocka_unit_test(test_streams_repeat_from_their_seed),
        cmocka_unit_test(test_fractions_are_uniform),
        cmocka_unit_test(test_bytes_come_from_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
