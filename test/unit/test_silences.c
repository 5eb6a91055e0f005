// What an Alertmanager answers: which silences are windows of which names, and what is no answer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "probes/fetch/silences.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define TIMES                      "\"startsAt\":\"2026-01-04T02:00:00.5Z\",\"endsAt\":\"2026-01-04T03:00:00+01:00\","
#define REST                       TIMES "\"createdBy\":\"alice\",\"comment\":\"a\\nb\",\"id\":\"i1\","
#define ACTIVE                     "\"status\":{\"state\":\"active\"},"
#define MATCHER(name, value, more) "{\"name\":\"" name "\",\"value\":\"" value "\"," more "}"
#define EQUAL                      "\"isRegex\":false,\"isEqual\":true"
#define REGEX                      "\"isRegex\":true,\"isEqual\":true"
#define SILENCE(matchers)          "{" REST ACTIVE "\"matchers\":[" matchers "]}"
#define OF(value, more)            "[" SILENCE(MATCHER("server", value, more)) "]"

static struct silence_line said[SILENCE_NAMES_MAXIMUM + 1];
static size_t count;

static void say(const struct silence_line *line)
{
    assert_true(count < COUNT(said));
    said[count++] = *line;
}

static bool read_answer(const char *answer, struct error *error)
{
    count = 0;
    return silences_read(answer, strlen(answer), "server", say, error);
}

static void test_everything_of_a_silence(void **state)
{
    (void)state;
    struct error error = {""};
    assert_true(read_answer(
        "[" SILENCE(MATCHER("job", "x", REGEX) "," MATCHER("server", "mx01", EQUAL)) "]", &error));
    assert_int_equal(count, 1);
    assert_int_equal(said[0].kind, SILENCE_FOUND);
    assert_string_equal(said[0].id, "i1");
    assert_string_equal(said[0].name, "mx01");
    assert_string_equal(said[0].creator, "alice");
    assert_string_equal(said[0].comment, "a b");
    assert_int_equal(said[0].begin.ns, INT64_C(1767492000500000000));
    assert_int_equal(said[0].end.ns, INT64_C(1767492000000000000));
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *names; // with blanks between; NULL: a problem
    } CASES[] = {
        {"[]", ""},
        {OF("mx01", EQUAL), "mx01"},
        {OF("mx01|mx02", EQUAL), "mx01|mx02"}, // a name, though nobody's
        {OF("mx01", "\"isRegex\":false"), "mx01"},
        {OF("mx01", "\"isRegex\":false,\"isEqual\":false"), ""},
        {OF("mx01", REGEX), "mx01"},
        {OF("mx01|mx02.example|mx-3", REGEX), "mx01 mx02.example mx-3"},
        {OF("(mx01|mx02)", REGEX), "mx01 mx02"},
        {OF("mx0.*", REGEX), NULL},
        {OF("mx01|", REGEX), NULL},
        {OF("", REGEX), NULL},
        {OF("()", REGEX), NULL},
        {OF("(mx01)|mx02", REGEX), NULL},
        {"[" SILENCE(MATCHER("servers", "mx01", EQUAL)) "]", ""},
        {"[" SILENCE("") "]", ""},
        {"[{" REST
         "\"status\":{\"state\":\"expired\"},\"matchers\":[" MATCHER("server", "mx01", EQUAL) "]}]",
         ""},
        {"[{" REST
         "\"status\":{\"state\":\"pending\"},\"matchers\":[" MATCHER("server", "mx01", EQUAL) "]}]",
         "mx01"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char names[256];
        struct text text = TEXT_OVER(names);
        struct error error = {""};
        assert_true(read_answer(CASES[i].answer, &error));
        for (size_t j = 0; j < count; j++) {
            text_format(&text, "%s%s", j == 0 ? "" : " ", said[j].name);
        }
        if (CASES[i].names == NULL) {
            assert_int_equal(count, 1);
            assert_int_equal(said[0].kind, SILENCE_PROBLEM);
        } else {
            assert_string_equal(names, CASES[i].names);
        }
    }
}

static void test_more_names_than_a_silence_may_have(void **state)
{
    (void)state;
    char value[8192] = "", answer[9000];
    struct text text = TEXT_OVER(value);
    struct error error = {""};
    for (int i = 0; i < SILENCE_NAMES_MAXIMUM; i++) {
        text_format(&text, "%smx%d", i == 0 ? "" : "|", i);
    }
    struct text whole = TEXT_OVER(answer);
    text_format(&whole,
                "[{" REST ACTIVE "\"matchers\":[{\"name\":\"server\",\"value\":\"%s\"," REGEX
                "}]}]",
                value);
    assert_true(read_answer(answer, &error));
    assert_int_equal(count, SILENCE_NAMES_MAXIMUM);
    whole = TEXT_OVER(answer);
    text_format(&whole,
                "[{" REST ACTIVE "\"matchers\":[{\"name\":\"server\",\"value\":\"%s|more\"," REGEX
                "}]}]",
                value);
    assert_true(read_answer(answer, &error));
    assert_int_equal(count, 1);
    assert_int_equal(said[0].kind, SILENCE_PROBLEM);
}

static void test_what_is_no_answer(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        const char *message;
    } CASES[] = {
        {"", "not JSON at byte 0: '[' or '{' expected near end of file"},
        {"{}", "it is not a list"},
        {"[1]", "silence 0: \"id\" is missing or not a string"},
        {"[" SILENCE("") ",{}]", "silence 1: \"id\" is missing or not a string"},
        {"[{" REST "\"status\":7,\"matchers\":[]}]", "silence 0: \"status\" is not an object"},
        {"[{" REST "\"status\":{},\"matchers\":[]}]",
         "silence 0: \"state\" is missing or not a string"},
        {"[{" REST ACTIVE "\"matchers\":{}}]",
         "silence 0: \"matchers\" is missing or not an array"},
        {"[" SILENCE("7") "]", "silence 0: matcher 0: \"name\" is missing or not a string"},
        {"[" SILENCE(MATCHER("server", "mx01", "\"isRegex\":\"no\"")) "]",
         "silence 0: matcher 0: \"isRegex\" is not true or false"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct error error = {""};
        assert_false(read_answer(CASES[i].answer, &error));
        assert_string_equal(error.message, CASES[i].message);
        assert_int_equal(count, 0);
    }
}

// As long as they may be, with what costs JSON most; what is longer is cut.
static void test_the_longest_line(void **state)
{
    (void)state;
    struct silence_line line = {.kind = SILENCE_FOUND, .begin = {INT64_MIN}, .end = {INT64_MAX}};
    struct silence_line decoded;
    struct error error;
    memset(line.id, '"', sizeof line.id - 1);
    memset(line.message, '"', sizeof line.message - 1);
    memset(line.name, '\\', sizeof line.name - 1);
    memset(line.creator, '\\', sizeof line.creator - 1);
    memset(line.comment, '"', sizeof line.comment - 1);
    char *text = silence_line_encode(&line);
    assert_in_range(strlen(text), 1000, JSON_LINE_MAXIMUM);
    assert_true(silence_line_decode(text, strlen(text), &decoded, &error));
    assert_memory_equal(&decoded, &line, sizeof line);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_of_a_silence),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_more_names_than_a_silence_may_have),
        cmocka_unit_test(test_what_is_no_answer),
        cmocka_unit_test(test_the_longest_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
