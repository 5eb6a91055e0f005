// From an interval to a point with its error.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/arrival.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// Milliseconds after some whole second; 0 = not known.
static const struct arrival_case {
    const char *name;
    int64_t absent, asked, present, saved, sent;
    int64_t at, error;
} CASES[] = {
    {"asked twice: half way", 10200, 10300, 10700, 0, 10000, 10250, 450},
    {"the second answer came at once", 10200, 10300, 10301, 0, 10000, 10250, 51},
    {"it was not sent at first: half way from then on", 10200, 10300, 10700, 0, 10240, 10270, 430},
    {"asked, then sent", 10200, 10300, 10700, 0, 10400, 10700, 500},
    {"sent after all that: the clocks differ", 10200, 10300, 10700, 0, 20000, 10700, 500},
    {"asked before the question that did not find it", 10200, 10100, 10700, 0, 0, 10700, 500},
    {"asked after the answer", 10200, 10800, 10700, 0, 0, 10700, 500},
    {"a long gap: whenever it was asked", 10200, 59000, 60000, 30000, 10000, 31000, 1000},
    {"told of unasked: the upper end", 10200, 0, 10700, 10000, 0, 10700, 500},
    {"the gap is exact: no error", 10700, 10700, 10700, 10000, 0, 10700, 0},
    {"a long gap: the server's second", 10200, 0, 60000, 30000, 0, 31000, 1000},
    {"the gap begins within that second", 30400, 0, 60000, 30000, 0, 31000, 600},
    {"the gap ends within that second", 10200, 0, 30300, 30000, 0, 30300, 300},
    {"that second is before the gap: not believed", 40000, 0, 60000, 30000, 0, 60000, 20000},
    {"that second is after the gap: not believed", 10000, 0, 20000, 30000, 0, 20000, 10000},
    {"the server says nothing", 10000, 0, 20000, 0, 0, 20000, 10000},
    {"never read before, the server says", 0, 59900, 60000, 30000, 0, 31000, 1000},
    {"never read before, it does not", 0, 59900, 60000, 0, 0, 60000, 0},
    {"the clock was put back between the two", 60000, 9900, 10000, 0, 0, 10000, 0},
};

static struct walltime at(int64_t ms)
{
    return (struct walltime){ms * 1000000};
}

static void test_estimates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct arrival_case *of = &CASES[i];
        const struct arrival_sight seen = {at(of->absent), at(of->asked), at(of->present),
                                           at(of->saved)};
        struct arrival arrival = arrival_estimate(&seen, at(of->sent));
        if (arrival.at.ns != at(of->at).ns || arrival.error.ns != at(of->error).ns) {
            fail_msg("%s: %ld +- %ld", of->name, (long)(arrival.at.ns / 1000000),
                     (long)(arrival.error.ns / 1000000));
        }
    }
}

// Wherever the questions lay: never before it was sent, unless all of the interval is.
static void test_no_guess_is_before_it_was_sent(void **state)
{
    (void)state;
    for (int64_t absent = 1000; absent < 1020; absent++) {
        for (int64_t asked = absent; asked < 1030; asked++) {
            for (int64_t sent = 1000; sent <= 1030; sent++) {
                const struct arrival_sight seen = {at(absent), at(asked), at(1030), {0}};
                struct arrival arrival = arrival_estimate(&seen, at(sent));
                assert_true(arrival.at.ns >= at(sent).ns);
                assert_true(arrival.at.ns - arrival.error.ns <= at(absent).ns);
                assert_true(arrival.at.ns + arrival.error.ns >= at(1030).ns);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_estimates),
        cmocka_unit_test(test_no_guess_is_before_it_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
