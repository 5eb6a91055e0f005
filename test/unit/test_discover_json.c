// The lines between the agent and mailflow-discover: there and back, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "probes/discover.h"

static void fill(char *text, size_t size, char with)
{
    memset(text, with, size - 1);
    text[size - 1] = '\0';
}

static void test_job_there_and_back(void **state)
{
    (void)state;
    struct discover_job job = {.number = INT64_MAX, .deadline = {INT64_MAX}}, back;
    struct error error;
    fill(job.name, sizeof job.name, '_');
    char *line = discover_job_encode(&job);
    assert_true(discover_job_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&job, &back, sizeof job);
    free(line);
}

static void test_lines_there_and_back(void **state)
{
    (void)state;
    struct error error;
    for (int kind = DISCOVER_SERVER; kind <= DISCOVER_FAILED; kind++) {
        struct discover_line line = {.number = 7, .kind = (enum discover_kind)kind}, back;
        fill(line.host, sizeof line.host, 'h');
        fill(line.cause, sizeof line.cause, '"');
        line.port = UINT16_MAX;
        char *text = discover_line_encode(&line);
        assert_in_range(strlen(text), 1, JSON_LINE_MAXIMUM);
        assert_true(discover_line_decode(text, strlen(text), &back, &error));
        assert_memory_equal(&line, &back, sizeof line);
        free(text);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
    } CASES[] = {
        {"{}", "\"number\" is missing"},
        {"{\"number\":1,\"kind\":\"odd\"}", "\"kind\" is odd, none of those known"},
        {"{\"number\":1,\"kind\":\"server\",\"host\":\"a\\nb\"}", "\"host\""},
        {"{\"number\":1,\"kind\":\"server\",\"host\":\"a\",\"port\":65536}", "\"port\" is 65536"},
        {"[]", ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct discover_line line;
        struct error error = {0};
        assert_false(discover_line_decode(CASES[i].line, strlen(CASES[i].line), &line, &error));
        assert_non_null(strstr(error.message, CASES[i].why));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_there_and_back),
        cmocka_unit_test(test_lines_there_and_back),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
