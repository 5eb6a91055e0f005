// What a token command printed, and what is made of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probes/token/answer.h"

enum { UNKNOWN = -1 };

static void test_good_answers(void **state)
{
    (void)state;
    static const struct {
        const char *printed, *token;
        int64_t seconds;
    } CASES[] = {
        {"ya29.a0-_~+/==", "ya29.a0-_~+/==", UNKNOWN},
        {" \r\n\ttok \n\n", "tok", UNKNOWN},
        {"{\"access_token\":\"tok\"}", "tok", UNKNOWN},
        {"\n{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"tok\"}\n", "tok",
         3599},
        {"{\"access_token\":\"tok\",\"expires_in\":\"3599\"}", "tok", 3599},
        {"{\"access_token\":\"tok\",\"expires_in\":12.0}", "tok", 12},
        {"{\"access_token\":\"tok\",\"expires_in\":0}", "tok", 0},
        {"{\"access_token\":\"tok\",\"expires_in\":-9223372036854775808}", "tok", 0},
        {"{\"access_token\":\"tok\",\"expires_in\":9223372036854775807}", "tok",
         86400L * ANSWER_DAYS_MAXIMUM},
        {"{\"access_token\":\"tok\",\"expires_in\":1e300}", "tok", 86400L * ANSWER_DAYS_MAXIMUM},
        {"{\"access_token\":\"tok\",\"expires_in\":\"9223372036854775807\"}", "tok",
         86400L * ANSWER_DAYS_MAXIMUM},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct token_outcome outcome = {0};
        struct error error = {0};
        const char *printed = CASES[i].printed;
        assert_true(answer_read(printed, strlen(printed), &outcome, &error));
        assert_string_equal(outcome.token, CASES[i].token);
        int64_t ns = CASES[i].seconds < 0 ? -1 : CASES[i].seconds * 1000000000;
        assert_int_equal(outcome.lifetime.ns, ns);
    }
}

#define NO_TOKEN  "it printed no bearer token (RFC 6750): one word of ASCII, or a JSON object"
#define NO_MEMBER "its JSON object has no \"access_token\""
#define NO_NUMBER "its \"expires_in\" is no number of seconds"

static void test_bad_answers(void **state)
{
    (void)state;
    static const struct {
        const char *printed, *why;
    } CASES[] = {
        {"", "it printed nothing"},
        {" \n\r\n", "it printed nothing"},
        {"Usage: get-token", NO_TOKEN},
        {"sec\nret", NO_TOKEN},
        {"sec\x01ret", NO_TOKEN},
        {"\xc3\xa9", NO_TOKEN},
        {"\"tok\"", NO_TOKEN},
        {"{\"access_token\":\"tok\"", "it printed what is not JSON"},
        {"{\"access_token\":\"a\",\"access_token\":\"b\"}", "it printed what is not JSON"},
        {"{}", NO_MEMBER},
        {"{\"access_token\":7}", NO_MEMBER},
        {"{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS70008:\\nexpired\"}",
         NO_MEMBER " (invalid_grant: AADSTS70008:\\nexpired)"},
        {"{\"access_token\":\"\"}", NO_TOKEN},
        {"{\"access_token\":\"sec\\nret\"}", NO_TOKEN},
        {"{\"access_token\":\"sec\\u0000ret\"}", "it printed what is not JSON"},
        {"{\"access_token\":\"tok\",\"expires_in\":\"soon\"}", NO_NUMBER},
        {"{\"access_token\":\"tok\",\"expires_in\":\"-1\"}", NO_NUMBER},
        {"{\"access_token\":\"tok\",\"expires_in\":\"\"}", NO_NUMBER},
        {"{\"access_token\":\"tok\",\"expires_in\":null}", NO_NUMBER},
        {"{\"access_token\":\"tok\",\"expires_in\":[3599]}", NO_NUMBER},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct token_outcome outcome = {0};
        struct error error = {0};
        const char *printed = CASES[i].printed;
        assert_false(answer_read(printed, strlen(printed), &outcome, &error));
        assert_string_equal(error.message, CASES[i].why);
        assert_string_equal(outcome.token, "");
    }
}

static void test_the_longest_token(void **state)
{
    (void)state;
    static char printed[PROBE_TOKEN_SIZE + 1];
    struct token_outcome outcome = {0};
    struct error error = {0};
    memset(printed, 'x', sizeof printed);
    assert_true(answer_read(printed, PROBE_TOKEN_SIZE - 1, &outcome, &error));
    assert_int_equal(strlen(outcome.token), PROBE_TOKEN_SIZE - 1);
    assert_false(answer_read(printed, PROBE_TOKEN_SIZE, &outcome, &error));
    assert_string_equal(error.message, "it printed a token of more than 3072 bytes");
}

static void test_a_nul_byte_is_no_end(void **state)
{
    (void)state;
    struct token_outcome outcome = {0};
    struct error error = {0};
    assert_false(answer_read("sec\0ret", 7, &outcome, &error));
    assert_string_equal(error.message, NO_TOKEN);
}

static void test_nesting_is_refused(void **state)
{
    (void)state;
    static char printed[65536];
    struct token_outcome outcome = {0};
    struct error error = {0};
    memset(printed, '[', sizeof printed);
    memcpy(printed, "{\"a\":", 5);
    assert_false(answer_read(printed, sizeof printed, &outcome, &error));
    assert_string_equal(error.message, "it printed what is not JSON");
}

static void test_words_hide_what_may_be_a_secret(void **state)
{
    (void)state;
    char secret[ANSWER_WORD_MAXIMUM + 2], said[200], shown[200];
    memset(secret, 's', sizeof secret);
    secret[sizeof secret - 1] = '\0';
    struct text words = TEXT_OVER(said);
    text_format(&words, "bad token '%s' \x1b[31m %s", secret, secret + 1);
    struct text text = TEXT_OVER(shown);
    answer_append_words(&text, said);
    assert_non_null(strstr(shown, "bad token '***' \\x1b[31m"));
    assert_null(strstr(shown, secret));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_answers),
        cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_the_longest_token),
        cmocka_unit_test(test_a_nul_byte_is_no_end),
        cmocka_unit_test(test_nesting_is_refused),
        cmocka_unit_test(test_words_hide_what_may_be_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
