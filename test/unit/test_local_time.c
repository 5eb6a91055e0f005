#include "base/local_time.h"

// cmocka wants these before it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

static const char *wall_of(const char *from)
{
    static char out[40];
    struct text text = TEXT_OVER(out);
    struct local_time local;
    assert_true(local_time_parse(from, &local));
    walltime_append_seconds(local_time_to_wall(&local, &LOCAL_TIME_HERE), &text);
    return out;
}

static void expect_in(const char *zone, const char *const (*times)[2], size_t count)
{
    assert_true(local_time_zone_exists(zone));
    setenv("TZ", zone, 1);
    tzset();
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(wall_of(times[i][0]), times[i][1]);
    }
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// RFC 5545 section 3.3.5, in both hours of a change, on either side of UTC and at odd offsets.
static void local_times_become_instants(void **state)
{
    (void)state;
    static const char *const STOCKHOLM[][2] = {
        {"2026-01-04T02:00", "2026-01-04T01:00:00Z"}, {"2026-07-04T02:00", "2026-07-04T00:00:00Z"},
        {"2026-03-29T01:59", "2026-03-29T00:59:00Z"}, {"2026-03-29T02:30", "2026-03-29T01:30:00Z"},
        {"2026-03-29T03:00", "2026-03-29T01:00:00Z"}, {"2026-10-25T01:59", "2026-10-24T23:59:00Z"},
        {"2026-10-25T02:30", "2026-10-25T00:30:00Z"}, {"2026-10-25T03:00", "2026-10-25T02:00:00Z"},
    };
    static const char *const NEW_YORK[][2] = {
        {"2026-03-08T02:30", "2026-03-08T07:30:00Z"},
        {"2026-11-01T01:30", "2026-11-01T05:30:00Z"},
        {"2026-11-01T02:00", "2026-11-01T07:00:00Z"},
    };
    static const char *const LORD_HOWE[][2] = {
        // by half an hour
        {"2026-10-04T02:15", "2026-10-03T15:45:00Z"},
        {"2026-04-05T01:45", "2026-04-04T14:45:00Z"},
    };
    static const char *const APIA[][2] = {
        // without a 30th of December
        {"2011-12-29T12:00", "2011-12-29T22:00:00Z"},
        {"2011-12-30T12:00", "2011-12-30T22:00:00Z"},
        {"2011-12-31T12:00", "2011-12-30T22:00:00Z"},
    };
    expect_in("Europe/Stockholm", STOCKHOLM, COUNT(STOCKHOLM));
    expect_in("America/New_York", NEW_YORK, COUNT(NEW_YORK));
    expect_in("Australia/Lord_Howe", LORD_HOWE, COUNT(LORD_HOWE));
    expect_in("Pacific/Apia", APIA, COUNT(APIA));
}

static void local_times_come_back_from_instants(void **state)
{
    (void)state;
    setenv("TZ", "Europe/Stockholm", 1);
    tzset();
    struct walltime at;
    assert_true(walltime_parse_rfc3339("2026-10-25T01:30:00Z", &at));
    struct local_time local = local_time_from_wall(at, &LOCAL_TIME_HERE);
    assert_int_equal(local.hour, 2);
    assert_int_equal(local.minute, 30);
    local = local_time_add_days(&local, 7);
    assert_int_equal(local.month, 11);
    assert_int_equal(local.day, 1);
    assert_int_equal(local.hour, 2);
}

static void only_local_times_are_read(void **state)
{
    (void)state;
    static const char *const BAD[] = {
        "",
        "2026-01-04",
        "2026-1-4T02:00",
        "2026-01-04T2:00",
        "2026-01-04T02:00Z",
        "2026-01-04T02:00+01:00",
        "2026-02-29T02:00",
        "2026-13-01T02:00",
        "2026-01-04T24:00",
        "2026-01-04T02:60",
        "2026-01-04T02:00:60",
        "1969-12-31T23:59",
        "2200-01-01T00:00",
        " 2026-01-04T02:00",
    };
    struct local_time local;
    for (size_t i = 0; i < COUNT(BAD); i++) {
        assert_false(local_time_parse(BAD[i], &local));
    }
    assert_true(local_time_parse("2028-02-29 23:59:59", &local));
    assert_int_equal(local.day, 29);
    assert_int_equal(local.second, 59);
    assert_true(local_time_parse_clock("22:30", &local));
    assert_int_equal(local.day, 29);
    assert_int_equal(local.second, 0);
    assert_false(local_time_parse_clock("22", &local));
}

static void only_zones_of_the_system_are_known(void **state)
{
    (void)state;
    static const char *const UNKNOWN[] = {
        "",
        "Europe",
        "Europe/Stokholm",
        "/etc/localtime",
        "tzdata.zi",
        "CET-1",
        "../../etc/motd",
        "Europe/Stockholm\n",
        "Europe/../../zoneinfo/UTC",
    };
    for (size_t i = 0; i < COUNT(UNKNOWN); i++) {
        assert_false(local_time_zone_exists(UNKNOWN[i]));
    }
    assert_true(local_time_zone_exists("UTC"));
    assert_true(local_time_zone_exists("America/Argentina/Buenos_Aires"));
    assert_true(local_time_zone_exists("Etc/GMT+5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_times_become_instants),
        cmocka_unit_test(local_times_come_back_from_instants),
        cmocka_unit_test(only_local_times_are_read),
        cmocka_unit_test(only_zones_of_the_system_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
