// The lines between the agent and mailflow-token: there and back, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "probes/token.h"

static void fill(char *text, size_t size, char with)
{
    memset(text, with, size - 1);
    text[size - 1] = '\0';
}

static void test_job_there_and_back(void **state)
{
    (void)state;
    static struct token_job job, back;
    struct error error;
    job.number = INT64_MAX;
    job.deadline.ns = INT64_MAX;
    job.word_count = TOKEN_WORDS_MAXIMUM;
    for (size_t i = 0; i < job.word_count; i++) {
        fill(job.words[i], TOKEN_WORD_SIZE, i == 0 ? '/' : '"');
    }
    fill(job.home, sizeof job.home, 'h');
    fill(job.credentials, sizeof job.credentials, '"');
    char *line = token_job_encode(&job);
    assert_in_range(strlen(line), 1, JSON_LINE_MAXIMUM);
    assert_true(token_job_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&job, &back, sizeof job);
    free(line);
}

static void test_outcome_there_and_back(void **state)
{
    (void)state;
    static struct token_outcome outcome, back;
    struct error error;
    outcome.number = 7;
    outcome.lifetime.ns = -1;
    fill(outcome.token, sizeof outcome.token, 't');
    fill(outcome.cause, sizeof outcome.cause, '"');
    char *line = token_outcome_encode(&outcome);
    assert_in_range(strlen(line), 1, JSON_LINE_MAXIMUM);
    assert_true(token_outcome_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&outcome, &back, sizeof outcome);
    free(line);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
    } JOBS[] = {
        {"{}", "\"number\" is missing"},
        {"{\"number\":1,\"deadline\":0,\"words\":[]}", "begins with no absolute path"},
        {"{\"number\":1,\"deadline\":0,\"words\":[\"sh\"]}", "begins with no absolute path"},
        {"{\"number\":1,\"deadline\":0,\"words\":[\"/x\",7]}", "\"words\" 1 is not a word"},
        {"{\"number\":1,\"deadline\":0,\"words\":[\"/x\"],\"home\":\"a\\nb\"}", "\"home\""},
    };
    for (size_t i = 0; i < sizeof JOBS / sizeof JOBS[0]; i++) {
        struct token_job job;
        struct error error = {0};
        assert_false(token_job_decode(JOBS[i].line, strlen(JOBS[i].line), &job, &error));
        assert_non_null(strstr(error.message, JOBS[i].why));
    }
    static const char LINE[] = "{\"number\":1,\"token\":\"a b\",\"lifetime\":0,\"cause\":\"\"}";
    struct token_outcome outcome;
    struct error error = {0};
    assert_false(token_outcome_decode(LINE, strlen(LINE), &outcome, &error));
    assert_string_equal(error.message, "\"token\" is not a bearer token");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_there_and_back),
        cmocka_unit_test(test_outcome_there_and_back),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
