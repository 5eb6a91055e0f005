#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ctl/format.h"
#include "base/suggest.h"
#include "ctl/when.h"

static struct walltime at(const char *rfc3339)
{
    struct walltime time;
    assert_true(walltime_parse_rfc3339(rfc3339, &time));
    return time;
}

static void assert_latency(int64_t ns, const char *expected)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    format_latency((struct span){ns}, &text);
    assert_string_equal(shown, expected);
}

static void latencies_have_the_unit_that_fits(void **state)
{
    (void)state;
    assert_latency(0, "0.0 ms");
    assert_latency(49999, "0.0 ms");
    assert_latency(50000, "0.1 ms");
    assert_latency(12300000, "12.3 ms");
    assert_latency(999949999, "999.9 ms");
    assert_latency(999950000, "1.0 s");
    assert_latency(82440000000, "82.4 s");
    assert_latency(119949999999, "119.9 s");
    assert_latency(119950000000, "2 m");
    assert_latency(192499999999, "3 m 12 s");
    assert_latency(192500000000, "3 m 13 s");
    assert_latency(-3200000, "-3.2 ms");
    assert_latency(-192000000000, "-3 m 12 s");
    assert_latency(INT64_MAX, "106751 d 23 h");
    assert_latency(INT64_MIN, "-106751 d 23 h");
}

static void assert_duration(struct span of, const char *expected)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    format_duration(of, &text);
    assert_string_equal(shown, expected);
}

static void durations_have_two_units_and_are_cut(void **state)
{
    (void)state;
    assert_duration(SPAN_ZERO, "0 s");
    assert_duration(SPAN_MS(999), "0 s");
    assert_duration(SPAN_MS(-999), "0 s");
    assert_duration(SPAN_MS(59999), "59 s");
    assert_duration(SPAN_MINUTES(30), "30 m");
    assert_duration(SPAN_SECONDS(192), "3 m 12 s");
    assert_duration(SPAN_SECONDS(3599), "59 m 59 s");
    assert_duration(SPAN_SECONDS(3659), "1 h");
    assert_duration(SPAN_MINUTES(125), "2 h 5 m");
    assert_duration(SPAN_HOURS(34), "1 d 10 h");
    assert_duration(SPAN_HOURS(-34), "-1 d 10 h");
}

static void assert_distance(const char *when, const char *expected)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    format_distance(at(when), at("2026-07-28T12:00:00Z"), &text);
    assert_string_equal(shown, expected);
}

static void distances_lie_ahead_or_behind(void **state)
{
    (void)state;
    assert_distance("2026-07-28T12:30:00Z", "in 30 m");
    assert_distance("2026-07-28T12:00:00Z", "0 s ago");
    assert_distance("2026-07-28T11:56:48Z", "3 m 12 s ago");
}

static void a_countdown_rounds_up(void **state)
{
    (void)state;
    assert_distance("2026-07-28T12:29:59.000001Z", "in 30 m");
    assert_distance("2026-07-28T12:00:00.000001Z", "in 1 s");
    assert_distance("2026-07-28T11:59:59.000001Z", "0 s ago");
}

static void assert_text(const char *from, const char *expected)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    text_append(&text, "\\\"");
    format_text(from, &text);
    assert_memory_equal(shown, "\\\"", 2);
    assert_string_equal(shown + 2, expected);
    assert_int_equal(text.length, 2 + strlen(expected));
}

static void text_is_harmless_and_keeps_its_quotes(void **state)
{
    (void)state;
    assert_text("", "");
    assert_text("kernel \"update\"", "kernel \"update\"");
    assert_text("\033[2J\r\n\x7f", "\\x1b[2J\\r\\n\\x7f");
    assert_text("\\\"x\\", "\\\\\"x\\\\");
    assert_text("\xC2\x9B Malmö \xFF", "\\xc2\\x9b Malmö \\xff");
    assert_text("\u2066a\u2069\uFEFF", "\\xe2\\x81\\xa6a\\xe2\\x81\\xa9\\xef\\xbb\\xbf");
}

static void text_that_does_not_fit_is_cut(void **state)
{
    char shown[8];
    struct text text = TEXT_OVER(shown);
    (void)state;
    format_text("\"12345678", &text);
    assert_string_equal(shown, "\"12345");
    format_text("\"more\"", &text);
    assert_string_equal(shown, "\"12345");
    assert_true(text.truncated);
}

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void assert_clock(const char *when, const char *now, const char *expected)
{
    char shown[64];
    struct text text = TEXT_OVER(shown);
    format_clock(at(when), at(now), &text);
    assert_string_equal(shown, expected);
}

static void clock_times_are_local_and_dated_on_other_days(void **state)
{
    (void)state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_clock("2026-07-28T12:30:00Z", "2026-07-28T06:00:00Z", "14:30:00");
    assert_clock("2026-07-28T22:30:00Z", "2026-07-28T06:00:00Z", "2026-07-29 00:30:00");
    assert_clock("2025-07-28T12:30:00Z", "2026-07-28T12:30:00Z", "2025-07-28 14:30:00");
    use_zone("UTC");
    assert_clock("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1969-12-31 23:59:59");
}

static void assert_when(const char *from, const char *expected)
{
    struct walltime time;
    struct error error;
    assert_true(when_parse(from, at("2026-07-28T12:00:00Z"), &time, &error));
    assert_int_equal(time.ns, at(expected).ns);
}

static void times_are_read_in_the_local_zone(void **state)
{
    (void)state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_when("14:30", "2026-07-28T12:30:00Z");
    assert_when("14:00", "2026-07-29T12:00:00Z");
    assert_when("13:59:59", "2026-07-29T11:59:59Z");
    assert_when("2026-07-28T22:30", "2026-07-28T20:30:00Z");
    assert_when("2026-12-24 22:30:15", "2026-12-24T21:30:15Z");
    assert_when("2026-07-28T22:30:00Z", "2026-07-28T22:30:00Z");
    assert_when("2026-07-28T22:30:00.5-02:00", "2026-07-29T00:30:00.5Z");
}

static void a_clock_time_of_the_past_is_the_last_one(void **state)
{
    struct walltime time;
    struct error error;
    (void)state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_true(when_parse_past("14:00", at("2026-07-28T12:00:00Z"), &time, &error));
    assert_int_equal(time.ns, at("2026-07-28T12:00:00Z").ns);
    assert_true(when_parse_past("14:00:01", at("2026-07-28T12:00:00Z"), &time, &error));
    assert_int_equal(time.ns, at("2026-07-27T12:00:01Z").ns);
    assert_true(when_parse_past("2026-07-29T14:00", at("2026-07-28T12:00:00Z"), &time, &error));
    assert_int_equal(time.ns, at("2026-07-29T12:00:00Z").ns);
}

static void assert_no_time(const char *from)
{
    struct walltime time;
    struct error error;
    assert_false(when_parse(from, at("2026-07-28T12:00:00Z"), &time, &error));
    assert_true(error.message[0] != '\0');
}

static void times_that_no_clock_shows_are_refused(void **state)
{
    (void)state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_no_time("2027-03-28T02:30");
    assert_no_time("2026-02-30T12:00");
    assert_no_time("2026-13-01T12:00");
    assert_no_time("24:00");
    assert_no_time("14:60");
    assert_no_time("2:30");
    assert_no_time("tomorrow");
    assert_no_time("");
    assert_no_time("14:30 ");
    assert_no_time("1960-01-01T00:00");
    assert_no_time("9999-01-01T00:00");
}

static void a_clock_time_skips_the_day_on_which_it_is_not_shown(void **state)
{
    struct walltime time;
    struct error error;
    (void)state;
    use_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    assert_false(when_parse("02:30", at("2027-03-28T00:00:00Z"), &time, &error));
    assert_true(when_parse("02:30", at("2027-03-28T06:00:00Z"), &time, &error));
    assert_int_equal(time.ns, at("2027-03-29T00:30:00Z").ns);
}

static void assert_suggested(const char *word, const char *expected)
{
    static const char *const VERBS[] = {"status", "probe", "history", "maintenance end", "check"};
    const char *near = suggest_nearest(word, VERBS, sizeof VERBS / sizeof VERBS[0]);
    if (expected == NULL) {
        assert_null(near);
    } else {
        assert_string_equal(near, expected);
    }
}

static void names_that_differ_by_a_number_are_not_suggested(void **state)
{
    static const char *const SERVERS[] = {"mx01", "mx02", "mx02-b"};
    (void)state;
    assert_null(suggest_nearest("mx03", SERVERS, 3));
    assert_null(suggest_nearest("mx10", SERVERS, 3));
    assert_string_equal(suggest_nearest("mx1", SERVERS, 3), "mx01");
    assert_string_equal(suggest_nearest("nx02", SERVERS, 3), "mx02");
}

static void near_words_are_suggested_and_far_ones_not(void **state)
{
    (void)state;
    assert_suggested("stauts", "status");
    assert_suggested("prob", "probe");
    assert_suggested("proob", "probe");
    assert_suggested("maintenanceend", "maintenance end");
    assert_suggested("check", "check");
    assert_suggested("explain", NULL);
    assert_suggested("", NULL);
    assert_suggested(
        "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latencies_have_the_unit_that_fits),
        cmocka_unit_test(durations_have_two_units_and_are_cut),
        cmocka_unit_test(distances_lie_ahead_or_behind),
        cmocka_unit_test(a_countdown_rounds_up),
        cmocka_unit_test(text_is_harmless_and_keeps_its_quotes),
        cmocka_unit_test(text_that_does_not_fit_is_cut),
        cmocka_unit_test(clock_times_are_local_and_dated_on_other_days),
        cmocka_unit_test(times_are_read_in_the_local_zone),
        cmocka_unit_test(a_clock_time_of_the_past_is_the_last_one),
        cmocka_unit_test(times_that_no_clock_shows_are_refused),
        cmocka_unit_test(a_clock_time_skips_the_day_on_which_it_is_not_shown),
        cmocka_unit_test(names_that_differ_by_a_number_are_not_suggested),
        cmocka_unit_test(near_words_are_suggested_and_far_ones_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
