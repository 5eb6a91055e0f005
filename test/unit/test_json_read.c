// One JSON line read field by field: what is absent, mistyped or out of range is named.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static json_t *read_line(const char *line)
{
    struct error error;
    json_t *object = json_read_line(line, strlen(line), &error);
    assert_non_null(object);
    return object;
}

static void test_members_are_read(void **state)
{
    (void)state;
    json_t *object =
        read_line("{\"name\":\"m\\u00e4x\",\"port\":25,\"on\":true,\"in\":{\"a\":1}}\n");
    struct error error;
    char name[8];
    int64_t port;
    bool on = false;
    const json_t *inner;
    assert_true(json_read_text(object, "name", name, sizeof name, &error));
    assert_string_equal(name, "m\xC3\xA4x");
    assert_true(json_read_integer(object, "port", 25, 25, &port, &error));
    assert_int_equal(port, 25);
    assert_true(json_read_boolean(object, "on", &on, &error));
    assert_true(on);
    assert_true(json_read_object(object, "in", &inner, &error));
    assert_true(json_read_integer(inner, "a", INT64_MIN, INT64_MAX, &port, &error));
    json_decref(object);
}

static void test_text_is_bounded(void **state)
{
    (void)state;
    json_t *object = read_line("{\"a\":\"12345\",\"b\":5}");
    struct error error;
    char text[5];
    assert_false(json_read_text(object, "a", text, sizeof text, &error));
    assert_string_equal(error.message, "\"a\" is longer than 4 bytes");
    assert_false(json_read_text(object, "b", text, sizeof text, &error));
    assert_string_equal(error.message, "\"b\" is not a string");
    assert_false(json_read_text(object, "c", text, sizeof text, &error));
    assert_string_equal(error.message, "\"c\" is missing");
    json_decref(object);
}

static void test_numbers_are_bounded(void **state)
{
    (void)state;
    json_t *object = read_line("{\"low\":-1,\"high\":70000,\"real\":2.0,\"text\":\"2\"}");
    struct error error;
    int64_t number = 7;
    assert_false(json_read_integer(object, "low", 0, 65535, &number, &error));
    assert_string_equal(error.message, "\"low\" is -1, not within 0 and 65535");
    assert_false(json_read_integer(object, "high", 0, 65535, &number, &error));
    assert_string_equal(error.message, "\"high\" is 70000, not within 0 and 65535");
    assert_false(json_read_integer(object, "real", 0, 65535, &number, &error));
    assert_string_equal(error.message, "\"real\" is not a whole number");
    assert_false(json_read_integer(object, "text", 0, 65535, &number, &error));
    assert_false(json_read_integer(object, "none", 0, 65535, &number, &error));
    assert_int_equal(number, 7);
    json_decref(object);
}

static void test_other_types_are_told_apart(void **state)
{
    (void)state;
    json_t *object = read_line("{\"one\":1,\"list\":[]}");
    struct error error;
    const json_t *inner;
    bool truth;
    assert_false(json_read_boolean(object, "one", &truth, &error));
    assert_string_equal(error.message, "\"one\" is not true or false");
    assert_false(json_read_boolean(object, "none", &truth, &error));
    assert_string_equal(error.message, "\"none\" is missing");
    assert_false(json_read_object(object, "list", &inner, &error));
    assert_string_equal(error.message, "\"list\" is not an object");
    json_decref(object);
}

static void expect_refused(const char *line, size_t length, const char *why)
{
    struct error error;
    assert_null(json_read_line(line, length, &error));
    assert_non_null(strstr(error.message, why));
}

static void test_lines_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *why;
    } CASES[] = {
        {"", "not JSON"},
        {"{", "not JSON"},
        {"{}x", "not JSON"},
        {"{\"a\":1}{}", "not JSON"},
        {"{\"a\":1,\"a\":2}", "duplicate object key"},
        {"[1]", "not a JSON object"},
        {"{\"a\":\"\xFF\"}", "not JSON"},
        {"{\"a\":\"\\u0000\"}", "not JSON"},
        {"{\"a\":99999999999999999999}", "too big integer"},
        {"{\"a\":1e999}", "real number overflow"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        expect_refused(CASES[i].line, strlen(CASES[i].line), CASES[i].why);
    }
}

static void test_long_and_deep_lines_are_refused(void **state)
{
    (void)state;
    char *line = malloc(JSON_LINE_MAXIMUM + 1);
    assert_non_null(line);
    memset(line, '[', JSON_LINE_MAXIMUM + 1);
    expect_refused(line, JSON_LINE_MAXIMUM, "not JSON");
    expect_refused(line, JSON_LINE_MAXIMUM + 1, "line of 8193 bytes is longer than 8192");
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_read),
        cmocka_unit_test(test_text_is_bounded),
        cmocka_unit_test(test_numbers_are_bounded),
        cmocka_unit_test(test_other_types_are_told_apart),
        cmocka_unit_test(test_lines_are_refused),
        cmocka_unit_test(test_long_and_deep_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
