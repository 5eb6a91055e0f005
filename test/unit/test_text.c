// Bounded text: what fits, where it is cut, and how bytes from outside are made harmless.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void test_appends_until_it_is_full(void **state)
{
    (void)state;
    char buffer[8];
    struct text text = TEXT_OVER(buffer);
    assert_string_equal(buffer, "");
    text_append(&text, "abc");
    text_format(&text, "%d", 1234);
    assert_string_equal(buffer, "abc1234");
    assert_false(text.truncated);
    text_append(&text, "");
    assert_false(text.truncated);
    text_append(&text, "x");
    assert_true(text.truncated);
    assert_string_equal(buffer, "abc1234");
}

static void test_nothing_follows_a_cut(void **state)
{
    (void)state;
    char buffer[6];
    struct text text = TEXT_OVER(buffer);
    text_append(&text, "abc\xC3\xA4\xC3\xA4");
    assert_string_equal(buffer, "abc\xC3\xA4");
    assert_true(text.truncated);

    char shorter[5];
    text = TEXT_OVER(shorter);
    text_append(&text, "abc\xC3\xA4");
    assert_string_equal(shorter, "abc");
    text_append(&text, "d");
    text_format(&text, "e");
    assert_string_equal(shorter, "abc");
    assert_int_equal(text.length, 3);
}

// Cut at every length, a text of characters of one to four bytes never ends in half of one.
static void test_cuts_between_characters(void **state)
{
    (void)state;
    static const char WHOLE[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x93\xAC.";
    static const size_t ENDS[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    for (size_t room = 0; room < sizeof WHOLE; room++) {
        char buffer[sizeof WHOLE];
        struct text text = text_over(buffer, room + 1);
        text_append(&text, WHOLE);
        assert_int_equal(text.length, ENDS[room]);
        assert_int_equal(strlen(buffer), ENDS[room]);
        assert_int_equal(text.truncated, room < strlen(WHOLE));

        text = text_over(buffer, room + 1);
        text_format(&text, "%s", WHOLE);
        assert_int_equal(text.length, ENDS[room]);
        assert_int_equal(strlen(buffer), ENDS[room]);
        assert_int_equal(text.truncated, room < strlen(WHOLE));
    }
}

static void test_copies_say_whether_they_fit(void **state)
{
    (void)state;
    char buffer[4];
    assert_true(text_copy(buffer, sizeof buffer, "abc"));
    assert_string_equal(buffer, "abc");
    assert_false(text_copy(buffer, sizeof buffer, "abcd"));
    assert_string_equal(buffer, "abc");
    assert_true(text_copy(buffer, sizeof buffer, ""));
    assert_string_equal(buffer, "");
}

static void test_escapes_what_could_deceive(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
    } CASES[] = {
        {"plain", "plain"},
        {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
        {"say \"hi\" \\", "say \\\"hi\\\" \\\\"},
        {"\x1B[31m\x07\x7F", "\\x1b[31m\\x07\\x7f"},
        {"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x93\xAC", "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x93\xAC"},
        {"\xFF\xFE", "\\xff\\xfe"},
        {"\xC3", "\\xc3"},                            // cut short
        {"\xC3x", "\\xc3x"},                          // not continued
        {"\xC0\xAF", "\\xc0\\xaf"},                   // overlong in two bytes
        {"\xE0\x80\xAF", "\\xe0\\x80\\xaf"},          // in three
        {"\xF0\x80\x80\xAF", "\\xf0\\x80\\x80\\xaf"}, // in four
        {"\xED\xA0\x80", "\\xed\\xa0\\x80"},          // a surrogate
        {"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, // beyond U+10FFFF
        {"\xC2\x85", "\\xc2\\x85"},                   // a control character of two bytes
        {"a\xE2\x80\xAE"
         "b",
         "a\\xe2\\x80\\xaeb"}, // written from the right
        {"\xE2\x81\xA6\xD8\x9C", "\\xe2\\x81\\xa6\\xd8\\x9c"},
        {"\xE2\x80\xA8", "\\xe2\\x80\\xa8"},              // a line's end
        {"\xE2\x80\x94\xD7\x90", "\xE2\x80\x94\xD7\x90"}, // a dash, a letter
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char buffer[64];
        struct text text = TEXT_OVER(buffer);
        text_append_escaped(&text, CASES[i].from);
        assert_string_equal(buffer, CASES[i].to);
    }
}

// In UTF-8; what is next to a range of them passes.
static void test_escapes_what_is_not_seen_but_misleads(void **state)
{
    (void)state;
    static const char *const ESCAPED[] = {
        "\u00AD",     "\u061C",     "\u180E",     "\u200B",     "\u200C",     "\u200D",
        "\u200E",     "\u200F",     "\u2028",     "\u2029",     "\u202A",     "\u202B",
        "\u202C",     "\u202D",     "\u202E",     "\u2060",     "\u2061",     "\u2062",
        "\u2063",     "\u2064",     "\u2066",     "\u2067",     "\u2068",     "\u2069",
        "\u206A",     "\u206F",     "\uFEFF",     "\uFFF9",     "\uFFFB",     "\U0001BCA0",
        "\U0001D173", "\U0001D17A", "\U000E0001", "\U000E0020", "\U000E007F",
    };
    static const char *const PASSES[] = {
        "\u00AC",     "\u00AE",     "\u061B",     "\u061D",     "\u180B",     "\u200A",
        "\u2010",     "\u2027",     "\u202F",     "\u205F",     "\u2070",     "\uFEFC",
        "\uFF01",     "\uFFF8",     "\uFFFC",     "\uFFFD",     "\u0600",     "\u06DD",
        "\U0001D17B", "\U0001F4EC", "\U000E0000", "\U000E0080", "\U0010FFFF",
    };
    for (size_t i = 0; i < COUNT(ESCAPED); i++) {
        char buffer[64], expected[64];
        struct text text = TEXT_OVER(buffer), escaped = TEXT_OVER(expected);
        for (const char *at = ESCAPED[i]; *at != '\0'; at++) {
            text_format(&escaped, "\\x%02x", (unsigned char)*at);
        }
        text_append_escaped(&text, ESCAPED[i]);
        assert_string_equal(buffer, expected);
    }
    for (size_t i = 0; i < COUNT(PASSES); i++) {
        char buffer[64];
        struct text text = TEXT_OVER(buffer);
        text_append_escaped(&text, PASSES[i]);
        assert_string_equal(buffer, PASSES[i]);
    }
}

static void test_escapes_are_not_cut(void **state)
{
    (void)state;
    char buffer[6];
    struct text text = TEXT_OVER(buffer);
    text_append_escaped(&text, "ab\x1B z");
    assert_string_equal(buffer, "ab");
    assert_true(text.truncated);
    text = TEXT_OVER(buffer);
    text_append_escaped(&text, "abc\nz");
    assert_string_equal(buffer, "abc\\n");
    assert_true(text.truncated);
}

static void test_values_are_quoted_when_needed(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
    } CASES[] = {
        {"mx02->mx01", "mx02->mx01"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"a\"b", "\"a\\\"b\""},
        {"back\\slash", "\"back\\\\slash\""},
        {"line\nbreak", "\"line\\nbreak\""},
        {"\xC3\xA4", "\"\xC3\xA4\""},
        {"moc.\u202Eexample", "\"moc.\\xe2\\x80\\xaeexample\""},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char buffer[64];
        struct text text = TEXT_OVER(buffer);
        text_append_value(&text, CASES[i].from);
        assert_string_equal(buffer, CASES[i].to);
    }
}

static void test_compares_without_case(void **state)
{
    (void)state;
    assert_true(text_equal_ignoring_case("Mailflow-Probe", "mailflow-probe"));
    assert_false(text_equal_ignoring_case("Mailflow-Probe", "mailflow-probes"));
}

static void test_errors_are_prefixed(void **state)
{
    (void)state;
    struct error error;
    assert_false(error_set(&error, "port %d", 25));
    assert_false(error_prefix(&error, "relay %s", "mx01"));
    assert_string_equal(error.message, "relay mx01: port 25");
}

static void test_a_long_error_keeps_what_fits(void **state)
{
    (void)state;
    char cause[400];
    memset(cause, 'x', sizeof cause - 1);
    cause[sizeof cause - 1] = '\0';
    struct error error;
    error_set(&error, "%s", cause);
    error_prefix(&error, "subject");
    assert_int_equal(strlen(error.message), strlen("subject: ") + strlen(cause));
    error_prefix(&error, "%s", cause);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_until_it_is_full),
        cmocka_unit_test(test_nothing_follows_a_cut),
        cmocka_unit_test(test_cuts_between_characters),
        cmocka_unit_test(test_copies_say_whether_they_fit),
        cmocka_unit_test(test_escapes_what_could_deceive),
        cmocka_unit_test(test_escapes_what_is_not_seen_but_misleads),
        cmocka_unit_test(test_escapes_are_not_cut),
        cmocka_unit_test(test_values_are_quoted_when_needed),
        cmocka_unit_test(test_compares_without_case),
        cmocka_unit_test(test_errors_are_prefixed),
        cmocka_unit_test(test_a_long_error_keeps_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
