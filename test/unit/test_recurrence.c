#include "base/recurrence.h"

// cmocka wants these before it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void rules_of_maintenance_pass(void **state)
{
    (void)state;
    static const char *const RULES[] = {
        "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2",
        "FREQ=MONTHLY;BYDAY=-1SA,+2TU;BYSETPOS=1",
        "freq=yearly;bymonth=3,10;byday=-1su",
        "FREQ=DAILY;UNTIL=20261231",
        "FREQ=DAILY;UNTIL=20261231T020000Z;INTERVAL=2;WKST=MO",
        "FREQ=HOURLY;COUNT=10;BYMINUTE=0,30",
        "FREQ=YEARLY;BYYEARDAY=-1,200;BYWEEKNO=20;BYMONTHDAY=-31,1;BYSECOND=0",
    };
    struct error error;
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        assert_true(recurrence_check(RULES[i], &error));
    }
}

static void other_rules_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const char *const RULES[][2] = {
        {"FREQ=SECONDLY;BYMONTH=12", "FREQ=SECONDLY: maintenance that recurs every second is none: "
                                     "FREQ is HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY"},
        {"FREQ=MINUTELY", "FREQ=MINUTELY: maintenance that recurs every minute is none: FREQ is "
                          "HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY"},
        {"FREQ=FORTNIGHTLY", "FREQ=FORTNIGHTLY is none of HOURLY, DAILY, WEEKLY, MONTHLY, YEARLY"},
        {"BYDAY=SU", "FREQ is missing"},
        {"", "'' is not NAME=VALUE"},
        {"FREQ=DAILY;", "'' is not NAME=VALUE"},
        {"FREQ=DAILY;FREQ=DAILY", "FREQ is given twice"},
        {"FREQ=DAILY;COUNT=2;UNTIL=20260101", "UNTIL and COUNT exclude each other"},
        {"FREQ=DAILY;RSCALE=CHINESE",
         "RSCALE is not a part of a recurrence rule that is known here"},
        {"FREQ=DAILY;BYHOUR=24", "BYHOUR=24 is not a value that BYHOUR takes"},
        {"FREQ=DAILY;BYMONTHDAY=0", "BYMONTHDAY=0 is not a value that BYMONTHDAY takes"},
        {"FREQ=DAILY;BYDAY=XX", "BYDAY=XX is not a value that BYDAY takes"},
        {"FREQ=DAILY;BYDAY=54SU", "BYDAY=54SU is not a value that BYDAY takes"},
        {"FREQ=DAILY;WKST=1MO", "WKST=1MO is not a value that WKST takes"},
        {"FREQ=DAILY;COUNT=1,2", "COUNT=1,2 is not a value that COUNT takes"},
        {"FREQ=DAILY;COUNT=0", "COUNT=0 is not a value that COUNT takes"},
        {"FREQ=DAILY;BYHOUR=1,,2", "BYHOUR=1,,2 is not a value that BYHOUR takes"},
        {"FREQ=DAILY;INTERVAL=99999999999999999999",
         "INTERVAL=99999999999999999999 is not a value that INTERVAL takes"},
        {"FREQ=DAILY;UNTIL=tomorrow", "UNTIL=TOMORROW is not a value that UNTIL takes"},
        {"FREQ=DAILY;UNTIL=20260101T00", "UNTIL=20260101T00 is not a value that UNTIL takes"},
    };
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++) {
        struct error error = {""};
        assert_false(recurrence_check(RULES[i][0], &error));
        assert_string_equal(error.message, RULES[i][1]);
    }
    char longest[600];
    struct error error;
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(recurrence_check(longest, &error));
    assert_string_equal(error.message, "is longer than 512 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_maintenance_pass),
        cmocka_unit_test(other_rules_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
