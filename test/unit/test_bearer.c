// The token of HTTPS: what lets in and what does not, and that the comparison tells nothing by the
// time that it takes: it is made once, of digests, all their bytes, whatever was sent.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

#include "shell/bearer.h"

static const char TOKEN[] = "0123456789abcdef-token";

static int comparisons;
static size_t compared;

// The linker puts it in the place of nettle's (--wrap).
int __real_nettle_memeql_sec(const void *a, const void *b, size_t count);
int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t count);

int __wrap_nettle_memeql_sec(const void *a, const void *b, size_t count)
{
    comparisons++;
    compared = count;
    return __real_nettle_memeql_sec(a, b, count);
}

static void test_the_token_lets_in(void **state)
{
    (void)state;
    assert_true(bearer_matches("Bearer 0123456789abcdef-token", TOKEN));
    assert_true(bearer_matches("bearer   0123456789abcdef-token", TOKEN));
}

static void test_whatever_else_does_not(void **state)
{
    static const char *const OTHERS[] = {
        "Bearer 0123456789abcdef-toke",
        "Bearer 0123456789abcdef-token ",
        "Bearer 0123456789abcdef-tokeN",
        "Bearer x123456789abcdef-token",
        "Bearer 0",
        "Bearer ",
        "Bearer 0123456789abcdef-token0123456789abcdef-token0123456789abcdef-token0123456789abcde",
    };
    (void)state;
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        comparisons = 0;
        compared = 0;
        assert_false(bearer_matches(OTHERS[i], TOKEN));
        assert_int_equal(comparisons, 1);
        assert_int_equal(compared, SHA256_DIGEST_SIZE);
    }
}

static void test_other_schemes_and_no_token_at_all(void **state)
{
    (void)state;
    assert_false(bearer_matches("Basic 0123456789abcdef-token", TOKEN));
    assert_false(bearer_matches("0123456789abcdef-token", TOKEN));
    assert_false(bearer_matches("", TOKEN));
    assert_false(bearer_matches("Bearer ", ""));
    assert_false(bearer_matches("Bearer x", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_token_lets_in),
        cmocka_unit_test(test_whatever_else_does_not),
        cmocka_unit_test(test_other_schemes_and_no_token_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
