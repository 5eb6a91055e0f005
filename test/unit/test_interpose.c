// Whether the program notices that libESMTP's calls do not arrive in it. Built once as it is, and
// once for each call under another name, so that the library finds the C library's.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "probes/submit/interpose.h"

static void test_interposition_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(interpose_works(), EXPECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_interposition_is_noticed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
