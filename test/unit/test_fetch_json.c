// The lines between the agent and mailflow-fetch: there and back, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "probes/fetch.h"

// The longest of everything, with bytes that JSON alone could not carry.
static void fill(char *text, size_t size, char with)
{
    memset(text, with, size - 1);
    text[size - 1] = '\0';
}

static void fill_body(struct fetch_body *body)
{
    body->length = FETCH_BODY_MAXIMUM;
    for (size_t i = 0; i < body->length; i++) {
        body->bytes[i] = (char)(i * 37);
    }
}

static void test_job_there_and_back(void **state)
{
    (void)state;
    static struct fetch_job job, back;
    struct error error;
    job.number = INT64_MAX;
    job.deadline.ns = INT64_MAX;
    fill(job.url, sizeof job.url, '"');
    fill(job.ca_file, sizeof job.ca_file, '"');
    fill(job.signature, sizeof job.signature, '"');
    fill_body(&job.body);
    char *line = fetch_job_encode(&job);
    assert_in_range(strlen(line), FETCH_BODY_MAXIMUM, JSON_LINE_MAXIMUM);
    assert_true(fetch_job_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&job, &back, sizeof job);
    free(line);
}

static void test_job_of_silences(void **state)
{
    (void)state;
    static struct fetch_job job, back;
    struct error error;
    job.number = 1;
    job.kind = FETCH_SILENCES;
    fill(job.url, sizeof job.url, '"');
    fill(job.matcher, sizeof job.matcher, 'm');
    char *line = fetch_job_encode(&job);
    assert_true(fetch_job_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&job, &back, sizeof job);
    free(line);
}

static void test_outcome_there_and_back(void **state)
{
    (void)state;
    static struct fetch_outcome outcome, back;
    struct error error;
    outcome.number = INT64_MAX;
    outcome.status = 999;
    fill(outcome.cause, sizeof outcome.cause, '\\');
    fill(outcome.signature, sizeof outcome.signature, '"');
    fill_body(&outcome.body);
    outcome.ended = (struct moment){{INT64_MAX}, {INT64_MAX}};
    char *line = fetch_outcome_encode(&outcome);
    assert_in_range(strlen(line), FETCH_BODY_MAXIMUM, JSON_LINE_MAXIMUM);
    assert_true(fetch_outcome_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&outcome, &back, sizeof outcome);
    free(line);
}

static void test_lines_that_are_none(void **state)
{
    static const struct {
        const char *line;
        const char *message;
    } CASES[] = {
        {"[]", "not a JSON object"},
        {"{\"number\":0}", "\"number\" is 0, not within 1 and 9223372036854775807"},
        {"{\"number\":1,\"status\":1000}", "\"status\" is 1000, not within 0 and 999"},
        {"{\"number\":1,\"status\":200,\"cause\":\"\",\"signature\":\"\"}", "\"body\" is missing"},
        {"{\"number\":1,\"status\":200,\"cause\":\"\",\"signature\":\"\",\"body\":\"%%%%\"}",
         "\"body\" is not base64 of at most 4500 bytes"},
        {"{\"number\":1,\"status\":200,\"cause\":\"\",\"signature\":\"\",\"body\":\"YQ\"}",
         "\"body\" is not base64 of at most 4500 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fetch_outcome outcome;
        struct error error = {0};
        assert_false(fetch_outcome_decode(CASES[i].line, strlen(CASES[i].line), &outcome, &error));
        assert_string_equal(error.message, CASES[i].message);
    }
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(test_job_there_and_back),
        cmocka_unit_test(test_job_of_silences),
        cmocka_unit_test(test_outcome_there_and_back),
        cmocka_unit_test(test_lines_that_are_none),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
