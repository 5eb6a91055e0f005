// What the core makes of a server's report about a probe of ours.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core_fixture.h"

// A report about a probe from us to p0.
static struct collect_report report_of(const struct core_fixture *fixture,
                                       const struct probe_id *id, enum bounce_action action)
{
    struct collect_report report = {
        .kind = COLLECT_BOUNCE,
        .mailbox = "local",
        .present = fixture->now,
        .verified = true,
        .tag = {.from = "here", .to = "p0", .id = *id},
        .bounce = {.action = action, .status = "5.1.1", .diagnostic = "550 5.1.1 no such user"},
    };
    return report;
}

static void tell(struct core_fixture *fixture, const struct collect_report *report)
{
    struct event event = {.kind = EVENT_BOUNCE, .arrival = {.report = report}};
    core_fixture_handle(fixture, &event);
}

static void tell_of(struct core_fixture *fixture, const struct probe_id *id,
                    enum bounce_action action)
{
    struct collect_report report = report_of(fixture, id, action);
    tell(fixture, &report);
}

static const struct peer_stats *stats_of(const struct core_fixture *fixture)
{
    return &core_peer(fixture->core, 0)->stats;
}

static void test_a_failure_resolves_the_probe(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct probe_id id = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    tell_of(&fixture, &id, BOUNCE_FAILED);
    const struct probe_record *record = &core_fixture_action(&fixture, ACTION_RECORD_PROBE)->probe;
    assert_true(probe_id_equal(&record->id, &id));
    assert_int_equal(record->state, PROBE_BOUNCED);
    assert_int_equal(record->verdict, VERDICT_BOUNCED);
    assert_int_equal(record->direction, OUTBOUND);
    assert_true(walltime_known(record->sent) && !walltime_known(record->arrived));
    const struct incident *incident = &core_fixture_action(&fixture, ACTION_INCIDENT)->incident;
    assert_int_equal(incident->kind, INCIDENT_BOUNCED);
    assert_int_equal(record->incident, incident->id);
    assert_string_equal(incident->evidence.cause, "550 5.1.1 no such user");
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    assert_int_equal(core_fixture_action(&fixture, ACTION_BOUNCE)->bounce.fate,
                     BOUNCE_FATE_BOUNCED);
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 0);

    assert_int_equal(core_path_state(fixture.core, 0, OUTBOUND, fixture.now), PATH_REFUSED);

    tell_of(&fixture, &id, BOUNCE_FAILED); // another copy of it
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_INCIDENT), 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    tell_of(&fixture, &id, BOUNCE_DELAYED); // an older one
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 0);
    assert_int_equal(stats_of(&fixture)->bounces[BOUNCE_FATE_BOUNCED], 1);
    assert_int_equal(stats_of(&fixture)->bounces[BOUNCE_FATE_STALE], 2);
    assert_int_equal(stats_of(&fixture)->resolved[OUTBOUND][VERDICT_BOUNCED], 1);
    core_fixture_end(&fixture);
}

static void test_a_delay_keeps_it_in_flight(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct probe_id id = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    tell_of(&fixture, &id, BOUNCE_DELAYED);
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_INCIDENT), 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    assert_int_equal(core_fixture_action(&fixture, ACTION_BOUNCE)->bounce.fate,
                     BOUNCE_FATE_DELAYED);
    tell_of(&fixture, &id, BOUNCE_OTHER); // handed on: a receipt will tell
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 1);
    core_fixture_end(&fixture);
}

// The queue may be quicker than the word that it took the message.
static void test_a_report_before_the_outcome(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    while (core_fixture_count(&fixture, ACTION_SEND) == 0) {
        core_fixture_wait(&fixture, SPAN_SECONDS(5));
        core_fixture_time(&fixture);
    }
    struct probe_id id = core_fixture_action(&fixture, ACTION_SEND)->send.tag.id;
    tell_of(&fixture, &id, BOUNCE_FAILED);
    assert_int_equal(core_fixture_action(&fixture, ACTION_RECORD_PROBE)->probe.state,
                     PROBE_BOUNCED);
    core_fixture_submitted(&fixture, 0, &id, SUBMIT_ACCEPTED);
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 0);
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 0);
    core_fixture_end(&fixture);
}

// That its reply was lost made it unsure whether it went out: now that is known.
static void test_an_uncertain_probe_bounces(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct probe_id id = core_fixture_send(&fixture, SUBMIT_UNCERTAIN);
    tell_of(&fixture, &id, BOUNCE_FAILED);
    assert_int_equal(core_fixture_action(&fixture, ACTION_INCIDENT)->incident.kind,
                     INCIDENT_BOUNCED);
    core_fixture_end(&fixture);
}

static void test_what_is_not_ours_is_left_alone(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct probe_id id = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    struct collect_report report = report_of(&fixture, &id, BOUNCE_FAILED);
    text_copy(report.tag.from, sizeof report.tag.from, "elsewhere");
    tell(&fixture, &report);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 0);
    report.tag.from[0] = '\0'; // a claim that nobody has confirmed
    report.verified = false;
    tell(&fixture, &report);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 0);
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 1);
    report = report_of(&fixture, &id, BOUNCE_FAILED); // one that the ledger confirms
    report.verified = false;
    tell(&fixture, &report);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 1);
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 0);
    core_fixture_end(&fixture);
}

static void test_what_nothing_is_known_of_is_cleaned_away(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct probe_id unknown = core_fixture_id(4711);
    tell_of(&fixture, &unknown, BOUNCE_FAILED);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 0);
    assert_int_equal(stats_of(&fixture)->bounces[BOUNCE_FATE_STALE], 1);
    struct collect_report report = report_of(&fixture, &unknown, BOUNCE_FAILED);
    text_copy(report.tag.to, sizeof report.tag.to, "gone");
    tell(&fixture, &report);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    assert_int_equal(core_stats(fixture.core)->rejected[REJECTED_UNKNOWN_PEER], 1);
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_resolves_the_probe),
        cmocka_unit_test(test_a_delay_keeps_it_in_flight),
        cmocka_unit_test(test_a_report_before_the_outcome),
        cmocka_unit_test(test_an_uncertain_probe_bounces),
        cmocka_unit_test(test_what_is_not_ours_is_left_alone),
        cmocka_unit_test(test_what_nothing_is_known_of_is_cleaned_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
