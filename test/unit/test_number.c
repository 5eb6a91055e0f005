// Whole numbers: digits and nothing else, within bounds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/number.h"

static void test_digits_within_bounds(void **state)
{
    (void)state;
    int64_t number = 0;
    assert_true(number_parse("0", 0, 9, &number));
    assert_int_equal(number, 0);
    assert_true(number_parse("007", 1, 7, &number));
    assert_int_equal(number, 7);
    assert_true(number_parse("9223372036854775807", 0, INT64_MAX, &number));
    assert_true(number == INT64_MAX);
}

static void test_anything_else_leaves_the_number_alone(void **state)
{
    (void)state;
    static const char *const BAD[] = {"",    " 5",   "5 ", "+5",    "-5", "5.0",
                                      "0x5", "five", "11", "0005a", "0",  "9223372036854775808"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        int64_t number = 42;
        assert_false(number_parse(BAD[i], 1, 10, &number));
        assert_int_equal(number, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits_within_bounds),
        cmocka_unit_test(test_anything_else_leaves_the_number_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
