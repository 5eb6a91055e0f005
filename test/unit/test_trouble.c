// What the simulated world cannot show of incidents: forged tags, and greetings that come late or
// never.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core_fixture.h"

static uint64_t notified(const struct core_fixture *fixture, enum incident_kind kind)
{
    return core_incident_counts(fixture->core, kind, incident_rule(kind)->severity)->notified;
}

static uint64_t opened(const struct core_fixture *fixture, enum incident_kind kind)
{
    return core_incident_counts(fixture->core, kind, incident_rule(kind)->severity)->opened;
}

static const struct incident *find_open(const struct core_fixture *fixture, enum incident_kind kind)
{
    const struct incidents *incidents = core_incidents(fixture->core);
    for (size_t i = 0; i < incidents->count; i++) {
        if (incidents->places[i] != NULL && incidents->places[i]->kind == kind) {
            return incidents->places[i];
        }
    }
    return NULL;
}

static void test_forged_tags_are_one_incident(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct event event = {.kind = EVENT_REJECTED, .rejected = REJECTED_SIGNATURE};
    for (int i = 0; i < 100; i++) {
        core_fixture_handle(&fixture, &event);
    }
    event.rejected = REJECTED_MALFORMED;
    core_fixture_handle(&fixture, &event);
    assert_int_equal(notified(&fixture, INCIDENT_FORGED), 1);
    assert_int_equal(find_open(&fixture, INCIDENT_FORGED)->evidence.failures, 100);
    assert_string_equal(find_open(&fixture, INCIDENT_FORGED)->subject_text, "here");
    core_fixture_run(&fixture, SPAN_MINUTES(59), NULL, NULL);
    assert_non_null(find_open(&fixture, INCIDENT_FORGED));
    core_fixture_run(&fixture, SPAN_MINUTES(2), NULL, NULL);
    assert_null(find_open(&fixture, INCIDENT_FORGED));
    core_fixture_end(&fixture);
}

static void count_greetings(void *context, const struct action *action)
{
    *(unsigned *)context += action->kind == ACTION_GREET;
}

// Runs until the agent wants to know whether the peer's server greets.
static void run_until_asked(struct core_fixture *fixture)
{
    unsigned asked = 0;
    for (int i = 0; asked == 0 && i < 1200; i++) {
        core_fixture_run(fixture, SPAN_SECONDS(1), count_greetings, &asked);
    }
    assert_int_equal(asked, 1);
}

static void answer(struct core_fixture *fixture, bool greeted)
{
    struct event event = {.kind = EVENT_GREETED,
                          .greeted = {0, greeted, greeted ? "" : "connection refused"}};
    core_fixture_handle(fixture, &event);
}

static void test_a_server_that_greets_is_only_unheard(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    run_until_asked(&fixture);
    answer(&fixture, true);
    answer(&fixture, false); // nobody has asked again
    assert_int_equal(opened(&fixture, INCIDENT_UNHEARD), 1);
    assert_int_equal(opened(&fixture, INCIDENT_DOWN), 0);
    const struct incident *silent = find_open(&fixture, INCIDENT_SILENT);
    assert_int_equal(silent->cause, find_open(&fixture, INCIDENT_UNHEARD)->id);
    run_until_asked(&fixture);
    answer(&fixture, false); // now the server is gone as well
    core_fixture_run(&fixture, SPAN_MINUTES(2), NULL, NULL);
    assert_int_equal(notified(&fixture, INCIDENT_DOWN), 1);
    assert_int_equal(notified(&fixture, INCIDENT_SILENT), 0);
    core_fixture_end(&fixture);
}

static void test_a_greeting_that_never_comes_is_none(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    run_until_asked(&fixture);
    core_fixture_run(&fixture, SPAN_SECONDS(28), NULL, NULL);
    assert_int_equal(opened(&fixture, INCIDENT_DOWN), 0);
    core_fixture_run(&fixture, SPAN_SECONDS(4), NULL, NULL);
    assert_int_equal(opened(&fixture, INCIDENT_DOWN), 1);
    core_fixture_run(&fixture, SPAN_MINUTES(3), NULL, NULL);
    assert_int_equal(notified(&fixture, INCIDENT_DOWN), 1);
    core_fixture_end(&fixture);
}

// From now on, for ten minutes.
static void begin_window(struct core_fixture *fixture)
{
    struct event begin = {.kind = EVENT_WINDOW,
                          .window = {.id = "w-1",
                                     .revision = 1,
                                     .server = "p0",
                                     .begin = fixture->now.wall,
                                     .end = walltime_add(fixture->now.wall, SPAN_MINUTES(10))}};
    core_fixture_handle(fixture, &begin);
}

static void test_an_overrun_says_whether_the_server_greets(void **state)
{
    (void)state;
    for (int greeted = 0; greeted < 2; greeted++) {
        struct core_fixture fixture;
        core_fixture_begin(&fixture, 1);
        begin_window(&fixture);
        core_fixture_run(&fixture, SPAN_MINUTES(14), NULL, NULL);
        run_until_asked(&fixture);
        answer(&fixture, greeted == 1);
        core_fixture_run(&fixture, SPAN_SECONDS(28), NULL, NULL);
        assert_int_equal(opened(&fixture, INCIDENT_OVERRUN), 0);
        core_fixture_run(&fixture, SPAN_SECONDS(2), NULL, NULL);
        assert_int_equal(notified(&fixture, INCIDENT_OVERRUN), 1);
        assert_string_equal(
            find_open(&fixture, INCIDENT_OVERRUN)->evidence.cause,
            greeted == 1
                ? "its mail server greets: its agent, or the mail on the way, is what is missing"
                : "connection refused");
        core_fixture_end(&fixture);
    }
}

static void test_an_overrun_waits_no_longer_than_for_the_greeting(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    begin_window(&fixture);
    core_fixture_run(&fixture, SPAN_SECONDS(880), NULL, NULL);
    core_configure(fixture.core, fixture.settings, fixture.now); // the answer has nobody to go to
    answer(&fixture, false);
    core_fixture_run(&fixture, SPAN_SECONDS(25), NULL, NULL);
    assert_int_equal(opened(&fixture, INCIDENT_OVERRUN), 1);
    assert_int_equal(notified(&fixture, INCIDENT_OVERRUN), 0);
    core_fixture_run(&fixture, SPAN_SECONDS(6), NULL, NULL);
    assert_int_equal(notified(&fixture, INCIDENT_OVERRUN), 1);
    assert_string_equal(find_open(&fixture, INCIDENT_OVERRUN)->evidence.cause,
                        "no greeting within 30s");
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forged_tags_are_one_incident),
        cmocka_unit_test(test_a_server_that_greets_is_only_unheard),
        cmocka_unit_test(test_a_greeting_that_never_comes_is_none),
        cmocka_unit_test(test_an_overrun_says_whether_the_server_greets),
        cmocka_unit_test(test_an_overrun_waits_no_longer_than_for_the_greeting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
