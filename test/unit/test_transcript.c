// The transcript of a session: written line by line within its size, and read back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probes/submit/recorder.h"

static struct instant at(int64_t microseconds)
{
    return (struct instant){microseconds * 1000};
}

static void test_lines_there_and_back(void **state)
{
    (void)state;
    struct recorder recorder;
    struct transcript_line line;
    char lines[TRANSCRIPT_SIZE];
    recorder_begin(&recorder, at(5));
    recorder_add(&recorder, TRANSCRIPT_NOTE, "connected", at(6));
    recorder_add(&recorder, TRANSCRIPT_SERVER, "220 \"mx\" a\\b \x1b[31m \xC3\xA5 \xFF", at(1005));
    recorder_add(&recorder, TRANSCRIPT_CLIENT, "", at(2000005));
    recorder_write(&recorder, lines);
    assert_string_equal(
        lines, "1 note connected\n"
               "1000 server 220 \\\"mx\\\" a\\\\b \\x1b[31m \xC3\xA5 \\xff\n2000000 client \n");
    const char *rest = lines;
    assert_true(transcript_next(&rest, &line));
    assert_int_equal(line.at.ns, 1000);
    assert_int_equal(line.side, TRANSCRIPT_NOTE);
    assert_string_equal(line.text, "connected");
    assert_true(transcript_next(&rest, &line));
    assert_string_equal(line.text, "220 \"mx\" a\\b \\x1b[31m \xC3\xA5 \\xff");
    assert_string_equal(transcript_side_name(line.side), "server");
    assert_true(transcript_next(&rest, &line));
    assert_int_equal(line.at.ns, 2000000000);
    assert_string_equal(line.text, "");
    assert_false(transcript_next(&rest, &line));
}

static void test_nothing_said(void **state)
{
    (void)state;
    struct recorder recorder;
    char lines[TRANSCRIPT_SIZE];
    recorder_begin(&recorder, at(0));
    recorder_write(&recorder, lines);
    assert_string_equal(lines, "");
}

static void test_a_long_line_is_cut(void **state)
{
    (void)state;
    struct recorder recorder;
    struct transcript_line line;
    char lines[TRANSCRIPT_SIZE], words[2000];
    memset(words, '\x01', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    recorder_begin(&recorder, at(0));
    recorder_add(&recorder, TRANSCRIPT_SERVER, words, at(0));
    recorder_add(&recorder, TRANSCRIPT_CLIENT, "QUIT", at(1));
    recorder_write(&recorder, lines);
    const char *rest = lines;
    assert_true(transcript_next(&rest, &line));
    assert_true(rest - lines <= TRANSCRIPT_LINE_SIZE);
    assert_string_equal(line.text + strlen(line.text) - 7, "\\x01...");
    assert_true(transcript_next(&rest, &line));
    assert_string_equal(line.text, "QUIT");
}

// The first lines and the last ones, and how many there were between them, whatever their length.
static void test_head_and_tail_stay(void **state)
{
    (void)state;
    for (int width = 1; width < 400; width += 13) {
        struct recorder recorder;
        struct transcript_line line;
        char lines[TRANSCRIPT_SIZE];
        int seen = 0, left_out = 0, last = -1;
        recorder_begin(&recorder, at(0));
        for (int i = 0; i < 1000; i++) {
            char words[512];
            snprintf(words, sizeof words, "%d %0*d", i, width, 0);
            recorder_add(&recorder, TRANSCRIPT_SERVER, words, at(i));
        }
        recorder_write(&recorder, lines);
        for (const char *rest = lines; transcript_next(&rest, &line);) {
            if (line.side == TRANSCRIPT_NOTE) {
                assert_int_equal(sscanf(line.text, "%d lines left out", &left_out), 1);
                last += left_out;
            } else {
                assert_int_equal(line.at.ns, ++last * 1000);
                seen++;
            }
        }
        assert_int_equal(last, 999);
        assert_int_equal(seen + left_out, 1000);
        assert_true(seen >= 6 && strlen(lines) > TRANSCRIPT_SIZE / 2);
    }
}

static void test_what_is_no_transcript(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {"",
                                        "\n",
                                        " ",
                                        "1",
                                        "1 ",
                                        "1 server",
                                        "1 nobody x",
                                        "-1 server x",
                                        "x server x",
                                        "1 serverx",
                                        "1234567890123456 server x"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        const char *rest = TEXTS[i];
        struct transcript_line line;
        assert_false(transcript_next(&rest, &line));
        assert_ptr_equal(rest, TEXTS[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_there_and_back),  cmocka_unit_test(test_nothing_said),
        cmocka_unit_test(test_a_long_line_is_cut),    cmocka_unit_test(test_head_and_tail_stay),
        cmocka_unit_test(test_what_is_no_transcript),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
