// What a client says with a bearer token, and what it makes of a refusal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "probes/oauth.h"

static void test_responses(void **state)
{
    (void)state;
    static const struct probe_endpoint ENDPOINT = {.user = "u@x", .token = "tok"};
    char response[OAUTH_RESPONSE_SIZE];
    oauth_response(PROBE_OAUTH_XOAUTH2, &ENDPOINT, response);
    assert_string_equal(response, "dXNlcj11QHgBYXV0aD1CZWFyZXIgdG9rAQE=");
    oauth_response(PROBE_OAUTH_OAUTHBEARER, &ENDPOINT, response);
    assert_string_equal(response, "bixhPXVAeCwBYXV0aD1CZWFyZXIgdG9rAQE=");
}

static void test_the_longest_response(void **state)
{
    (void)state;
    static struct probe_endpoint endpoint;
    char response[OAUTH_RESPONSE_SIZE];
    memset(endpoint.user, 'u', sizeof endpoint.user - 1);
    memset(endpoint.token, 't', sizeof endpoint.token - 1);
    oauth_response(PROBE_OAUTH_XOAUTH2, &endpoint, response);
    assert_string_equal(response + strlen(response) - 4, "AQE=");
}

static void test_the_choice(void **state)
{
    (void)state;
    assert_int_equal(oauth_choose(PROBE_OAUTH_AUTO, true, true), PROBE_OAUTH_OAUTHBEARER);
    assert_int_equal(oauth_choose(PROBE_OAUTH_AUTO, true, false), PROBE_OAUTH_XOAUTH2);
    assert_int_equal(oauth_choose(PROBE_OAUTH_AUTO, false, false), PROBE_OAUTH_NONE);
    assert_int_equal(oauth_choose(PROBE_OAUTH_XOAUTH2, true, true), PROBE_OAUTH_XOAUTH2);
    assert_int_equal(oauth_choose(PROBE_OAUTH_XOAUTH2, false, true), PROBE_OAUTH_NONE);
    assert_int_equal(oauth_choose(PROBE_OAUTH_OAUTHBEARER, true, false), PROBE_OAUTH_NONE);
}

static void test_the_status_of_a_refusal(void **state)
{
    (void)state;
    static const struct {
        const char *challenge, *status;
    } CASES[] = {
        {"eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIn0=", "401"}, // {"status":"401",...}
        {"eyJzdGF0dXMiOjQwMX0=", ""},                                // a number
        {"eyJzdGF0dXMiOiJcdTAwMWJbMzFtIn0=", "\\x1b[31m"},
        {"", ""},
        {"!!!", ""},
        {"bm8ganNvbg==", ""},
        {"W10=", ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char status[OAUTH_STATUS_SIZE];
        oauth_status(CASES[i].challenge, status);
        assert_string_equal(status, CASES[i].status);
    }
}

static void test_tokens(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"a", "ya29.A0-_~+/", "abc==", "EwB4A8l6BAAU"};
    static const char *const BAD[] = {"", "=", "a b", "a=b", "a\n", "\xC3\xA9", "a\x01"};
    for (size_t i = 0; i < sizeof GOOD / sizeof GOOD[0]; i++) {
        assert_true(oauth_token_valid(GOOD[i]));
    }
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        assert_false(oauth_token_valid(BAD[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_responses),  cmocka_unit_test(test_the_longest_response),
        cmocka_unit_test(test_the_choice), cmocka_unit_test(test_the_status_of_a_refusal),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
