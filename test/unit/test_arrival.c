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
    int64_t absent, present, saved;
    int64_t at, error;
} CASES[] = {
    {"a short gap: its upper end", 10200, 10700, 10000, 10700, 500},
    {"the gap is exact: no error", 10700, 10700, 10000, 10700, 0},
    {"a long gap: the server's second", 10200, 60000, 30000, 31000, 1000},
    {"the gap begins within that second", 30400, 60000, 30000, 31000, 600},
    {"the gap ends within that second", 10200, 30300, 30000, 30300, 300},
    {"that second is before the gap: not believed", 40000, 60000, 30000, 60000, 20000},
    {"that second is after the gap: not believed", 10000, 20000, 30000, 20000, 10000},
    {"the server says nothing", 10000, 20000, 0, 20000, 10000},
    {"never read before, the server says", 0, 60000, 30000, 31000, 1000},
    {"never read before, it does not", 0, 60000, 0, 60000, 0},
    {"the clock was put back between the two", 60000, 10000, 0, 10000, 0},
};

static void test_estimates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct arrival_case *of = &CASES[i];
        struct arrival arrival = arrival_estimate((struct walltime){of->absent * 1000000},
                                                  (struct walltime){of->present * 1000000},
                                                  (struct walltime){of->saved * 1000000});
        if (arrival.at.ns != of->at * 1000000 || arrival.error.ns != of->error * 1000000) {
            fail_msg("%s: %ld +- %ld", of->name, (long)(arrival.at.ns / 1000000),
                     (long)(arrival.error.ns / 1000000));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_estimates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
