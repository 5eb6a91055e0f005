// When to look for the next probe, and how often.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probes/collect/expectation.h"

static struct expectations expectations;

static const struct instant START = {1000000000000};
static const struct span EARLY = EXPECTATION_EARLY;
static const struct walltime WALL = {1795287409000000000};

static int set_up(void **state)
{
    (void)state;
    memset(&expectations, 0, sizeof expectations);
    return 0;
}

static struct instant after_ms(int64_t ms)
{
    return instant_add(START, SPAN_MS(ms));
}

// A probe that was sent at START + sent_ms by a clock `ahead_ms` ahead of ours. The next one is to
// be expected next_ms after it was sent, so it is announced for a little later.
static void arrive_on(const char *from, const char *to, int64_t sent_ms, int64_t arrived_ms,
                      int64_t next_ms, int64_t ahead_ms)
{
    struct tag tag = {.next = next_ms == 0 ? SPAN_ZERO : span_add(SPAN_MS(next_ms), EARLY)};
    snprintf(tag.from, sizeof tag.from, "%s", from);
    snprintf(tag.to, sizeof tag.to, "%s", to);
    tag.sent = walltime_add(WALL, SPAN_MS(sent_ms + ahead_ms));
    struct moment arrived = {after_ms(arrived_ms), walltime_add(WALL, SPAN_MS(arrived_ms))};
    expectations_note_arrival(&expectations, &tag, arrived);
}

static void arrive(const char *from, int64_t sent_ms, int64_t arrived_ms, int64_t next_ms,
                   int64_t ahead_ms)
{
    arrive_on(from, "mx01", sent_ms, arrived_ms, next_ms, ahead_ms);
}

// Having just looked, `now_ms` after START, the next look is at `expected_us`, or never.
static void assert_look_us(int64_t now_ms, int64_t expected_us)
{
    struct instant at = expectations_next_look(&expectations, after_ms(now_ms), after_ms(now_ms));
    assert_int_equal((at.ns - START.ns) / 1000, expected_us);
}

static void assert_look(int64_t now_ms, int64_t expected_ms)
{
    assert_look_us(now_ms, expected_ms * 1000);
}

static void assert_no_look(int64_t now_ms)
{
    struct instant at = expectations_next_look(&expectations, after_ms(now_ms), after_ms(now_ms));
    assert_int_equal(at.ns, INSTANT_NEVER.ns);
}

static void test_nothing_expected_nothing_looked_for(void **state)
{
    (void)state;
    assert_no_look(0);
    arrive("mx02", 0, 100, 0, 0);
    assert_no_look(200);
}

static void test_expected_when_it_will_be_sent(void **state)
{
    (void)state;
    arrive("mx02", 0, 200, 60000, 0);
    assert_look(300, 60000);
}

static void test_at_most_a_second_ahead(void **state)
{
    (void)state;
    arrive("mx02", 0, 5000, 60000, 0);
    assert_look(6000, 64000);
}

static void test_a_clock_ahead_of_ours_changes_nothing_else(void **state)
{
    (void)state;
    arrive("mx02", 0, 200, 60000, 3600000);
    assert_look(300, 60200);
}

static void test_spacing_grows_with_the_age(void **state)
{
    (void)state;
    arrive("mx02", 0, 0, 1000, 0);
    assert_look(999, 1000);
    assert_look(1000, 1004);
    assert_look(1100, 1104);
    assert_look(1200, 1205);
    assert_look(1400, 1410);
    assert_look(2000, 2025);
    assert_look_us(10999, 11248975);
    assert_no_look(11000);
}

static void test_spacing_counts_from_the_last_look(void **state)
{
    (void)state;
    arrive("mx02", 0, 0, 1000, 0);
    struct instant at = expectations_next_look(&expectations, after_ms(1000), after_ms(2000));
    assert_int_equal(at.ns, after_ms(1025).ns);
}

static void test_the_youngest_sets_the_pace(void **state)
{
    (void)state;
    arrive("mx02", 0, 0, 1000, 0);
    arrive("mx03", 0, 0, 5000, 0);
    assert_look(5100, 5104);
    arrive("mx03", 5000, 5100, 60000, 0);
    assert_look(5200, 5305);
}

// An agent may probe many servers whose mail comes into one mailbox.
static void test_each_path_of_a_sender_is_expected(void **state)
{
    (void)state;
    arrive_on("mx02", "mx03", 0, 0, 1000, 0);
    arrive_on("mx02", "mx04", 500, 500, 1000, 0);
    assert_look(999, 1000);
    arrive_on("mx02", "mx03", 1000, 1000, 1000, 0);
    assert_look(1100, 1500);
}

static void test_the_next_to_come_is_not_slept_through(void **state)
{
    (void)state;
    arrive("mx02", 0, 0, 1000, 0);
    arrive("mx03", 0, 0, 5050, 0);
    assert_look(5000, 5050);
}

static void test_an_arrival_takes_its_expectation_back(void **state)
{
    (void)state;
    arrive("mx02", 0, 0, 1000, 0);
    arrive("mx02", 1000, 1010, 0, 0);
    assert_no_look(1020);
}

static void test_an_old_probe_that_comes_late_changes_nothing(void **state)
{
    (void)state;
    arrive("mx02", 1000, 1010, 60000, 0);
    arrive("mx02", 0, 2000, 1000, 0);
    assert_look(2100, 61000);
    assert_int_equal(expectations.count, 1);
}

static void test_their_number_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < EXPECTATIONS_MAXIMUM + 10; i++) {
        char name[SERVER_NAME_SIZE];
        snprintf(name, sizeof name, "mx%d", i);
        arrive(name, 0, 0, 1000 + i, 0);
    }
    assert_int_equal(expectations.count, EXPECTATIONS_MAXIMUM);
    assert_no_look(20000);
    assert_int_equal(expectations.count, 0);
    arrive("mx900", 20000, 20000, 1000, 0);
    assert_look(20001, 21000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nothing_expected_nothing_looked_for, set_up),
        cmocka_unit_test_setup(test_expected_when_it_will_be_sent, set_up),
        cmocka_unit_test_setup(test_at_most_a_second_ahead, set_up),
        cmocka_unit_test_setup(test_a_clock_ahead_of_ours_changes_nothing_else, set_up),
        cmocka_unit_test_setup(test_spacing_grows_with_the_age, set_up),
        cmocka_unit_test_setup(test_spacing_counts_from_the_last_look, set_up),
        cmocka_unit_test_setup(test_the_youngest_sets_the_pace, set_up),
        cmocka_unit_test_setup(test_each_path_of_a_sender_is_expected, set_up),
        cmocka_unit_test_setup(test_the_next_to_come_is_not_slept_through, set_up),
        cmocka_unit_test_setup(test_an_arrival_takes_its_expectation_back, set_up),
        cmocka_unit_test_setup(test_an_old_probe_that_comes_late_changes_nothing, set_up),
        cmocka_unit_test_setup(test_their_number_is_bounded, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
