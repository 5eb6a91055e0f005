// A core that is told what was sent, instead of deciding it.
#include "core/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core_fixture.h"

static void begin_replay(struct core_fixture *fixture)
{
    *fixture = (struct core_fixture){
        .settings = core_settings_of(1),
        .now = {{5000000000000}, {1767484800000000000}},
    };
    fixture->core = core_create(fixture->settings, fixture->now, 7);
    core_replay(fixture->core);
    core_start(fixture->core, fixture->now, WALLTIME_NONE, WALLTIME_NONE);
    core_fixture_readable(fixture, true);
}

static void count_sent(void *context, const struct action *action)
{
    *(int *)context += action->kind == ACTION_SEND || action->kind == ACTION_EXCHANGE;
}

static void it_sends_nothing_of_its_own(void **state)
{
    (void)state;
    struct core_fixture fixture;
    int sent = 0;
    begin_replay(&fixture);
    core_fixture_run(&fixture, SPAN_MINUTES(10), count_sent, &sent);
    struct event event = {.kind = EVENT_WINDOW};
    event.window = (struct window){.id = "w-1",
                                   .revision = 1,
                                   .server = "here",
                                   .begin = fixture.now.wall,
                                   .end = walltime_add(fixture.now.wall, SPAN_MINUTES(10)),
                                   .by = "anna@here"};
    core_fixture_handle(&fixture, &event);
    for (size_t i = 0; i < fixture.actions.count; i++) {
        count_sent(&sent, &fixture.actions.items[i]);
    }
    core_fixture_run(&fixture, SPAN_HOURS(1), count_sent, &sent);
    assert_int_equal(sent, 0);
    core_fixture_end(&fixture);
}

static struct probe_record sending(const struct core_fixture *fixture, unsigned number)
{
    return (struct probe_record){
        .id = core_fixture_id(number), .peer = "p0", .slot = number, .planned = fixture->now.wall};
}

static void what_it_is_told_is_in_flight(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin_replay(&fixture);
    for (unsigned number = 1; number <= SENDING_MAXIMUM; number++) {
        struct probe_record record = sending(&fixture, number);
        assert_true(core_replay_sending(fixture.core, 0, &record, fixture.now));
    }
    struct probe_record one_more = sending(&fixture, SENDING_MAXIMUM + 1);
    assert_false(core_replay_sending(fixture.core, 0, &one_more, fixture.now));
    struct probe_id first = core_fixture_id(1);
    core_fixture_submitted(&fixture, 0, &first, SUBMIT_ACCEPTED);
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 1);
    assert_true(core_replay_sending(fixture.core, 0, &one_more, fixture.now));
    core_fixture_end(&fixture);
}

static void count_incidents(void *context, const struct action *action)
{
    *(int *)context += action->kind == ACTION_INCIDENT;
}

// Without the start the silence would count from before it.
static void a_start_settles_first(void **state)
{
    (void)state;
    struct core_fixture fixture;
    int incidents = 0;
    begin_replay(&fixture);
    struct collect_report report = core_fixture_report(&fixture, "p0", 1, SPAN_SECONDS(1));
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    core_fixture_wait(&fixture, SPAN_MINUTES(4));
    core_replay_started(fixture.core, fixture.now);
    core_fixture_run(&fixture, SPAN_MINUTES(9), count_incidents, &incidents);
    assert_int_equal(incidents, 0);
    core_fixture_run(&fixture, SPAN_MINUTES(5), count_incidents, &incidents);
    assert_true(incidents > 0);
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_sends_nothing_of_its_own),
        cmocka_unit_test(what_it_is_told_is_in_flight),
        cmocka_unit_test(a_start_settles_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
