// Points in time and distances: saturation, RFC 3339 both ways, durations both ways.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/instant.h"
#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void test_sums_saturate(void **state)
{
    (void)state;
    struct instant last = {INT64_MAX};
    struct instant first = {INT64_MIN};
    assert_int_equal(nanoseconds_add(INT64_MAX, 1), INT64_MAX);
    assert_int_equal(nanoseconds_add(INT64_MIN, -1), INT64_MIN);
    assert_int_equal(nanoseconds_subtract(0, INT64_MIN), INT64_MAX);
    assert_int_equal(nanoseconds_subtract(INT64_MIN, 1), INT64_MIN);
    assert_int_equal(instant_since(last, first).ns, INT64_MAX);
    assert_int_equal(instant_since(first, last).ns, INT64_MIN);
    assert_int_equal(span_times(SPAN_HOURS(1), INT64_MAX).ns, INT64_MAX);
    assert_int_equal(span_times(SPAN_HOURS(-1), INT64_MAX).ns, INT64_MIN);
    assert_int_equal(span_times(SPAN_HOURS(-1), INT64_MIN).ns, INT64_MAX);
    assert_int_equal(span_magnitude((struct span){INT64_MIN}).ns, INT64_MAX);
    assert_int_equal(span_magnitude(SPAN_SECONDS(-5)).ns, SPAN_SECONDS(5).ns);
    assert_int_equal(walltime_from_microseconds(INT64_MAX).ns, INT64_MAX);
    assert_int_equal(walltime_from_microseconds(INT64_MIN).ns, INT64_MIN);
}

static void test_never_stays_never(void **state)
{
    (void)state;
    assert_int_equal(instant_add(INSTANT_NEVER, SPAN_SECONDS(5)).ns, INT64_MAX);
    assert_int_equal(instant_add(INSTANT_NEVER, SPAN_SECONDS(-5)).ns, INT64_MAX);
    assert_false(instant_reached((struct instant){INT64_MAX - 1}, INSTANT_NEVER));
}

static void test_seconds_become_spans(void **state)
{
    (void)state;
    assert_int_equal(span_from_seconds(1.5).ns, 1500000000);
    assert_int_equal(span_from_seconds(-0.25).ns, -250000000);
    assert_int_equal(span_from_seconds(1e300).ns, INT64_MAX);
    assert_int_equal(span_from_seconds(-1e300).ns, INT64_MIN);
    assert_int_equal(span_from_seconds(INFINITY).ns, INT64_MAX);
    assert_int_equal(span_from_seconds(NAN).ns, 0);
    assert_int_equal(span_from_seconds(9223372036.854775807).ns, INT64_MAX);
}

static void test_moment_relates_the_clocks(void **state)
{
    (void)state;
    struct moment now = {{5000000000}, {1700000000000000000}};
    struct walltime wall = moment_wall_at(now, (struct instant){2000000000});
    assert_int_equal(wall.ns, 1699999997000000000);
    assert_int_equal(moment_instant_at(now, wall).ns, 2000000000);
}

static void test_rfc3339_round_trips(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } CASES[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {-1000000, "1969-12-31T23:59:59.000000Z"},
        {-1500000, "1969-12-31T23:59:58.500000Z"},
        {1154090928123456, "2006-07-28T12:48:48.123456Z"},
        {1709164800000000, "2024-02-29T00:00:00.000000Z"},
        {-9214560000000000, "1678-01-01T00:00:00.000000Z"},
        {9214646399999999, "2261-12-31T23:59:59.999999Z"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char buffer[64];
        struct text text = TEXT_OVER(buffer);
        struct walltime back;
        walltime_append_rfc3339(walltime_from_microseconds(CASES[i].us), &text);
        assert_string_equal(buffer, CASES[i].text);
        assert_true(walltime_parse_rfc3339(buffer, &back));
        assert_int_equal(walltime_microseconds(back), CASES[i].us);
    }
}

static void test_rfc3339_to_the_second(void **state)
{
    (void)state;
    char buffer[64];
    struct text text = TEXT_OVER(buffer);
    walltime_append_seconds(walltime_from_microseconds(1154090928999999), &text);
    assert_string_equal(buffer, "2006-07-28T12:48:48Z");
}

static void test_rfc3339_reads_what_it_allows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } CASES[] = {
        {"1970-01-01T00:00:01Z", 1000000000},
        {"1970-01-01t00:00:01z", 1000000000},
        {"1970-01-01 00:00:01Z", 1000000000},
        {"1970-01-01T02:00:00+02:00", 0},
        {"1969-12-31T19:30:00-04:30", 0},
        {"1970-01-01T00:00:00-23:59", 86340000000000},
        {"1970-01-01T00:00:00.5Z", 500000000},
        {"1970-01-01T00:00:00.123456789Z", 123456789},
        {"1970-01-01T00:00:00.1234567899999Z", 123456789},
        {"1970-01-01T00:00:60Z", 60000000000},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct walltime at;
        assert_true(walltime_parse_rfc3339(CASES[i].text, &at));
        assert_int_equal(at.ns, CASES[i].ns);
    }
}

static void test_rfc3339_refuses_the_rest(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        "now",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00Z",
        "2026-1-01T00:00:00Z",
        "2026- 1-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
        "+026-01-01T00:00:00Z",
        "2026-01-01T-1:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "1677-12-31T00:00:00Z",
        "2262-01-01T00:00:00Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00Zx",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+-1:00",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00+01:00x",
        "2026-01-01X00:00:00Z",
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct walltime at = {7};
        if (walltime_parse_rfc3339(CASES[i], &at)) {
            fail_msg("accepted '%s'", CASES[i]);
        }
        assert_int_equal(at.ns, 7);
    }
}

static void test_spans_are_written_exactly(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } CASES[] = {
        {0, "0s"},
        {250000000, "250ms"},
        {1000000000, "1s"},
        {90000000000, "90s"},
        {1800000000000, "30m"},
        {4900000000000, "4900s"},
        {475200000000000, "132h"},
        {432000000000000, "5d"},
        {-90000000000, "-90s"},
        {82431234567, "82.4s"},
        {-82431234567, "-82.4s"},
        {1234567, "0.00123s"},
        {12345, "0.000012s"},
        {1187000412345, "1187s"},
        {2926400412345, "2926s"},
        {999600000001, "1000s"},
        {-123456700000001, "-123457s"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char buffer[64];
        struct text text = TEXT_OVER(buffer);
        span_append((struct span){CASES[i].ns}, &text);
        assert_string_equal(buffer, CASES[i].text);
    }
}

static void test_spans_are_written_in_seconds(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } CASES[] = {
        {0, "0s"},          {250000000, "0.25s"},         {1800000000000, "1800s"},
        {999999, "0.001s"}, {-82431234567, "-82.431s"},   {1187000412345, "1187s"},
        {400000, "0s"},     {432000000000000, "432000s"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char buffer[64];
        struct text text = TEXT_OVER(buffer);
        span_append_seconds((struct span){CASES[i].ns}, &text);
        assert_string_equal(buffer, CASES[i].text);
    }
}

static void test_spans_are_read_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } CASES[] = {
        {"250ms", 250000000},
        {"15s", 15000000000},
        {"30m", 1800000000000},
        {"4h", 14400000000000},
        {"5d", 432000000000000},
        {"0s", 0},
        {"106751d", 106751 * INT64_C(86400000000000)},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct span span;
        assert_true(span_parse(CASES[i].text, &span));
        assert_int_equal(span.ns, CASES[i].ns);
    }
}

static void test_what_is_no_span_is_refused(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        "15",
        "s",
        "-15s",
        "+15s",
        " 15s",
        "15 s",
        "1.5s",
        "15sec",
        "1h30m",
        "15S",
        "106752d",
        "99999999999999999999s",
        "0x1s",
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct span span;
        if (span_parse(CASES[i], &span)) {
            fail_msg("accepted '%s'", CASES[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_saturate),
        cmocka_unit_test(test_never_stays_never),
        cmocka_unit_test(test_seconds_become_spans),
        cmocka_unit_test(test_moment_relates_the_clocks),
        cmocka_unit_test(test_rfc3339_round_trips),
        cmocka_unit_test(test_rfc3339_to_the_second),
        cmocka_unit_test(test_rfc3339_reads_what_it_allows),
        cmocka_unit_test(test_rfc3339_refuses_the_rest),
        cmocka_unit_test(test_spans_are_written_exactly),
        cmocka_unit_test(test_spans_are_written_in_seconds),
        cmocka_unit_test(test_spans_are_read_back),
        cmocka_unit_test(test_what_is_no_span_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
