// What a flag says: every line, and every mistake with its message. Written at 12:00 in Stockholm.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "shell/flag_file.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct walltime at(const char *text)
{
    struct walltime parsed;
    assert_true(walltime_parse_rfc3339(text, &parsed));
    return parsed;
}

// What the flag says, and its problems, in one line.
static const char *read_flag(const char *bytes, size_t length)
{
    static char said[1200];
    struct flag_file flag;
    struct flag_problems problems = {.count = 0};
    struct text text = TEXT_OVER(said);
    flag_file_read(bytes, length, at("2026-03-28T11:00:00Z"), &LOCAL_TIME_HERE, &flag, &problems);
    walltime_append_seconds(flag.end, &text);
    text_format(&text, " %s %s", window_kind_name(flag.kind), flag.reason);
    for (size_t i = 0; i < problems.count; i++) {
        text_format(&text, " | %s", problems.items[i]);
    }
    return said;
}

static void flags_are_read(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"", "2026-03-28T15:00:00Z routine flag file"},
        {"\n# why\n  reason=kernel update \r\n", "2026-03-28T15:00:00Z routine kernel update"},
        {"for=30m\n", "2026-03-28T11:30:00Z routine flag file"},
        {"until=13:30", "2026-03-28T12:30:00Z routine flag file"},
        {"until=12:00", "2026-03-29T10:00:00Z routine flag file | it is long for routine "
                        "maintenance (more than 4h): every alert of the server is held back for "
                        "all of it"},
        {"kind=emergency\nreason=move\nuntil=02:30\n",
         "2026-03-29T01:30:00Z emergency move"}, // an hour that does not come
        {"kind=emergency\nreason=move\nuntil=2026-03-30T12:00\n",
         "2026-03-30T10:00:00Z emergency move"},
        {"until=2026-03-28T13:00:00+01:00", "2026-03-28T12:00:00Z routine flag file"},
        {"until=soon\nnonsense\nfor=x\nkind=planned\n",
         "2026-03-28T15:00:00Z routine flag file"
         " | line 1: until=soon is no time: write 22:30, 2026-01-04T22:30 or 2026-01-04T21:30:00Z"
         " | line 2: 'nonsense' is not until=, for=, reason= or kind="
         " | line 3: for=x is no length: write 30m or 6h"
         " | line 4: kind=planned is neither routine nor emergency"},
        {"a\nb\nc\nd\ne\n", "2026-03-28T15:00:00Z routine flag file"
                            " | line 1: 'a' is not until=, for=, reason= or kind="
                            " | line 2: 'b' is not until=, for=, reason= or kind="
                            " | line 3: 'c' is not until=, for=, reason= or kind="
                            " | line 4: 'd' is not until=, for=, reason= or kind="},
        {"for=1h\nuntil=14:00\n", "2026-03-28T12:00:00Z routine flag file | line 2: until= and "
                                  "for= exclude each other: for= holds"},
        {"until=14:00\nfor=3h\n", "2026-03-28T13:00:00Z routine flag file | line 2: until= and "
                                  "for= exclude each other: until= holds"},
        {"until=2026-03-28T11:59", "2026-03-28T10:59:00Z routine flag file | it ends before it was "
                                   "written: no maintenance"},
        {"for=400d", "2026-03-28T15:00:00Z routine flag file | it is longer than 366d: taken as "
                     "4h"},
        {"kind=emergency", "2026-03-28T15:00:00Z routine flag file | an emergency needs a "
                           "reason=: taken as routine"},
        {"\x1b[2J", "2026-03-28T15:00:00Z routine flag file | line 1: '\\x1b[2J' is not until=, "
                    "for=, reason= or kind="},
    };
    setenv("TZ", "Europe/Stockholm", 1);
    tzset();
    for (size_t i = 0; i < COUNT(CASES); i++) {
        assert_string_equal(read_flag(CASES[i][0], strlen(CASES[i][0])), CASES[i][1]);
    }
}

static void of_what_is_no_text_only_the_name_counts(void **state)
{
    (void)state;
    static const char SAID[] = "2026-03-28T15:00:00Z routine flag file | what is in it is no "
                               "flag's text: only its name counts";
    static char large[FLAG_FILE_MAXIMUM + 1];
    memset(large, '#', sizeof large);
    assert_string_equal(read_flag(large, sizeof large), SAID);
    assert_string_equal(read_flag("for=1h\n\0", 8), SAID);
    assert_string_equal(read_flag(large, FLAG_FILE_MAXIMUM),
                        "2026-03-28T15:00:00Z routine flag file");
}

static void what_editors_leave_is_ignored(void **state)
{
    (void)state;
    static const char *const IGNORED[] = {".",        "..",     ".mx01",    ".mx01.swp", "mx01~",
                                          "mx01.bak", "#mx01#", "mx01.tmp", "4913"};
    static const char *const FLAGS[] = {"mx01", "~", "mx01.example", "README", "swp"};
    for (size_t i = 0; i < COUNT(IGNORED); i++) {
        assert_true(flag_file_ignored(IGNORED[i]));
    }
    for (size_t i = 0; i < COUNT(FLAGS); i++) {
        assert_false(flag_file_ignored(FLAGS[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_read),
        cmocka_unit_test(of_what_is_no_text_only_the_name_counts),
        cmocka_unit_test(what_editors_leave_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
