#include "probes/calendar.h"

// cmocka wants these before it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"

static void a_job_comes_back_as_it_was(void **state)
{
    (void)state;
    const struct calendar_job job = {
        .start = "2026-01-04T02:00",
        .rule = "FREQ=WEEKLY;BYDAY=SU",
        .zone = "Europe/Stockholm",
        .length = SPAN_MINUTES(15),
        .from = {1000},
        .until = {2000},
        .limit = 256,
        .deadline = {3000},
    };
    struct calendar_job decoded;
    struct error error;
    char *line = calendar_job_encode(&job);
    assert_true(calendar_job_decode(line, strlen(line), &decoded, &error));
    assert_memory_equal(&decoded, &job, sizeof job);
    free(line);
}

// The longest that a calendar can make it: every byte of every text is written as two.
static void the_longest_occurrence_is_a_line(void **state)
{
    (void)state;
    struct calendar_line line = {.kind = CALENDAR_OCCURRENCE, .line = 7, .emergency = true};
    memset(line.uid, '"', sizeof line.uid - 1);
    memset(line.reason, '"', sizeof line.reason - 1);
    memset(line.location, '\\', sizeof line.location - 1);
    memset(line.categories, '"', sizeof line.categories - 1);
    memset(line.summary, '"', sizeof line.summary - 1);
    for (size_t i = 0; i < CALENDAR_OBJECTS_MAXIMUM; i++) {
        memset(line.objects[i], '"', CALENDAR_OBJECT_SIZE - 1);
    }
    line.object_count = CALENDAR_OBJECTS_MAXIMUM;
    line.begin = (struct walltime){INT64_MIN};
    line.end = (struct walltime){INT64_MAX};
    struct calendar_line decoded;
    struct error error;
    char *text = calendar_line_encode(&line);
    assert_in_range(strlen(text), 1000, JSON_LINE_MAXIMUM);
    assert_true(calendar_line_decode(text, strlen(text), &decoded, &error));
    assert_memory_equal(&decoded, &line, sizeof line);
    free(text);
}

static void other_lines_are_refused(void **state)
{
    (void)state;
    static const char *const LINES[][2] = {
        {"{}", "\"kind\" is missing"},
        {"{\"kind\":\"joke\"}", "\"kind\" is joke, none of those known"},
        {"{\"kind\":\"done\",\"line\":-1,\"uid\":\"\",\"message\":\"\"}",
         "\"line\" is -1, not within 0 and 1048577"},
        {"{\"kind\":\"occurrence\",\"line\":1,\"uid\":\"\",\"message\":\"\"}",
         "\"begin\" is missing"},
    };
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        struct calendar_line decoded;
        struct error error = {""};
        assert_false(calendar_line_decode(LINES[i][0], strlen(LINES[i][0]), &decoded, &error));
        assert_string_equal(error.message, LINES[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_comes_back_as_it_was),
        cmocka_unit_test(the_longest_occurrence_is_a_line),
        cmocka_unit_test(other_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
