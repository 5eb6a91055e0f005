// Arrivals and receipts as the core takes them: what is none, clocks that step, what it tells and
// is told, the states of paths.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core_fixture.h"

static void test_arrivals_that_are_none(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct collect_report report = core_fixture_report(&fixture, "p0", 1, SPAN_SECONDS(1));

    core_fixture_arrive(&fixture, &report, ARRIVAL_SAME); // recorded by an earlier run
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 0);

    core_fixture_arrive(&fixture, &report, ARRIVAL_DUPLICATE);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    assert_int_equal(core_peer(fixture.core, 0)->stats.duplicates, 1);

    text_copy(report.tag.from, sizeof report.tag.from, "stranger");
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    assert_int_equal(core_stats(fixture.core)->rejected[REJECTED_UNKNOWN_PEER], 1);

    text_copy(report.tag.to, sizeof report.tag.to, "elsewhere");
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    assert_int_equal(core_stats(fixture.core)->rejected[REJECTED_MISROUTED], 1);
    assert_int_equal(fixture.actions.count, 0); // left alone: it may be somebody's

    core_fixture_end(&fixture);
}

// What we sent to p0, lying in a mailbox of ours.
static void comes_back(struct core_fixture *fixture, const struct probe_id *id)
{
    struct collect_report report = core_fixture_report(fixture, "here", 1, SPAN_SECONDS(1));
    text_copy(report.tag.to, sizeof report.tag.to, "p0");
    report.tag.id = *id;
    core_fixture_arrive(fixture, &report, ARRIVAL_NEW);
}

static void test_probes_that_come_back_are_loops(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    const struct peer *peer = core_peer(fixture.core, 0);
    struct probe_id sent;
    for (unsigned i = 1; i <= LOOPS_KEPT; i++) { // p0 has none of them
        sent = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
        comes_back(&fixture, &sent);
        assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 0); // p0 may share it
        assert_int_equal(core_fixture_count(&fixture, ACTION_SAY_LOOP), i == LOOPS_KEPT);
        assert_int_equal(peer->stats.loops, i);
    }
    assert_int_equal(peer->stats.received, 0);
    assert_int_equal(core_stats(fixture.core)->rejected[REJECTED_MISROUTED], 0);

    sent = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    comes_back(&fixture, &sent);
    assert_int_equal(core_fixture_count(&fixture, ACTION_SAY_LOOP), 0); // once an hour
    struct collect_report told = core_fixture_report(&fixture, "here", 1, SPAN_MINUTES(30));
    text_copy(told.tag.to, sizeof told.tag.to, "p0");
    core_fixture_arrive(&fixture, &told, ARRIVAL_NEW); // of old, by another connection
    assert_int_equal(peer->stats.loops, LOOPS_KEPT + 1);
    core_fixture_end(&fixture);
}

// A copy of what p0 has, or p0's agent reads this mailbox, too: nothing to be told of.
static void test_copies_are_no_loops(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    for (unsigned i = 1; i <= 2 * LOOPS_KEPT; i++) {
        core_fixture_wait(&fixture, SPAN_MINUTES(1));
        struct probe_id answered = core_fixture_id(1000 + i); // not under way any more
        comes_back(&fixture, &answered);
        assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
        assert_int_equal(core_fixture_count(&fixture, ACTION_SAY_LOOP), 0);
    }
    assert_int_equal(core_peer(fixture.core, 0)->stats.loops, 2 * LOOPS_KEPT);
    core_fixture_end(&fixture);
}

static void test_a_live_check_is_left_to_the_one_that_makes_it(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct collect_report report = core_fixture_report(&fixture, "here", 1, SPAN_SECONDS(1));
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    assert_int_equal(fixture.actions.count, 0);
    assert_int_equal(core_stats(fixture.core)->rejected[REJECTED_UNKNOWN_PEER], 0);

    report = core_fixture_report(&fixture, "here", 2, SPAN_HOURS(1)); // nobody waits for it now
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    assert_int_equal(core_fixture_count(&fixture, ACTION_DELETE), 1);
    core_fixture_end(&fixture);
}

static void test_rejections_are_counted_by_reason(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    for (int reason = 0; reason < REJECTIONS; reason++) {
        struct event event = {.kind = EVENT_REJECTED, .rejected = (enum rejection)reason};
        core_fixture_handle(&fixture, &event);
        assert_int_equal(core_stats(fixture.core)->rejected[reason], 1);
    }
    core_fixture_end(&fixture);
}

static void test_path_states(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 2);
    assert_int_equal(core_path_state(fixture.core, 0, INBOUND, fixture.now), PATH_UNKNOWN);
    struct collect_report report = core_fixture_report(&fixture, "p0", 1, SPAN_SECONDS(1));
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    assert_int_equal(core_path_state(fixture.core, 0, INBOUND, fixture.now), PATH_OK);
    assert_int_equal(core_path_state(fixture.core, 0, OUTBOUND, fixture.now), PATH_UNKNOWN);
    core_fixture_run(&fixture, SPAN_SECONDS(90), NULL, NULL); // what follows is sent after it
    for (unsigned i = 2; i < 12; i++) { // the first few say nothing while nobody answers
        core_fixture_wait(&fixture, SPAN_SECONDS(6));
        report = core_fixture_report(&fixture, "p0", i, SPAN_SECONDS(90));
        core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    }
    assert_int_equal(core_path_state(fixture.core, 0, INBOUND, fixture.now), PATH_SLOW);
    core_fixture_run(&fixture, SPAN_MINUTES(15), NULL, NULL);
    assert_int_equal(core_path_state(fixture.core, 0, INBOUND, fixture.now), PATH_SILENT);

    struct event event = {.kind = EVENT_WINDOW,
                          .window = {.id = "w-1",
                                     .revision = 1,
                                     .server = "p0",
                                     .begin = fixture.now.wall,
                                     .end = walltime_add(fixture.now.wall, SPAN_MINUTES(10))}};
    core_fixture_handle(&fixture, &event);
    assert_int_equal(core_path_state(fixture.core, 0, INBOUND, fixture.now), PATH_MAINTENANCE);
    assert_int_equal(core_path_state(fixture.core, 1, INBOUND, fixture.now), PATH_SILENT);
    core_fixture_run(&fixture, SPAN_MINUTES(11), NULL, NULL);
    assert_int_equal(core_path_state(fixture.core, 0, OUTBOUND, fixture.now), PATH_SILENT);
    core_fixture_end(&fixture);
}

static void test_three_refusals_refuse_a_path(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(core_path_state(fixture.core, 0, OUTBOUND, fixture.now), PATH_UNKNOWN);
        fixture.actions.count = 0;
        core_fixture_send(&fixture, SUBMIT_REFUSED);
    }
    assert_int_equal(core_path_state(fixture.core, 0, OUTBOUND, fixture.now), PATH_REFUSED);
    const struct action *action = core_fixture_action(&fixture, ACTION_INCIDENT);
    assert_string_equal(action->incident.subject_text, "here->p0");
    assert_string_equal(action->incident.evidence.cause, "550 no");
    assert_int_equal(action->incident.evidence.failures, 3);
    core_fixture_end(&fixture);
}

static void test_a_negative_latency_is_counted_not_observed(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct collect_report report = core_fixture_report(&fixture, "p0", 1, SPAN_SECONDS(-90));
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    const struct peer_stats *stats = &core_peer(fixture.core, 0)->stats;
    assert_int_equal(core_stats(fixture.core)->negative_latencies, 1);
    assert_int_equal(stats->latency[INBOUND].count, 0);
    assert_int_equal(stats->resolved[INBOUND][VERDICT_ON_TIME], 1);
    assert_int_equal(core_fixture_action(&fixture, ACTION_RECORD_PROBE)->probe.latency.ns,
                     SPAN_SECONDS(-90).ns);
    core_fixture_end(&fixture);
}

static struct moment ago(const struct core_fixture *fixture, struct span span)
{
    return (struct moment){{fixture->now.instant.ns - span.ns}, {fixture->now.wall.ns - span.ns}};
}

// Half way between the questions, but not before it was sent.
static void test_an_arrival_lies_between_two_questions(void **state)
{
    (void)state;
    static const struct {
        struct span took, latency; // till it was told of, and what of that was the delivery
    } CASES[] = {
        {SPAN_MS(30), SPAN_MS(22)},
        {SPAN_MS(8), SPAN_MS(1)},
        {SPAN_MS(5), SPAN_MS(5)},
        {SPAN_MS(-3), SPAN_MS(-3)},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct core_fixture fixture;
        core_fixture_begin(&fixture, 1);
        struct collect_report report = core_fixture_report(&fixture, "p0", 1, CASES[i].took);
        report.absent = ago(&fixture, SPAN_MS(10));
        report.asked = ago(&fixture, SPAN_MS(6));
        core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
        const struct probe_record *record =
            &core_fixture_action(&fixture, ACTION_RECORD_PROBE)->probe;
        assert_int_equal(record->latency.ns, CASES[i].latency.ns);
        assert_int_equal(record->arrived.ns, record->sent.ns + record->latency.ns);
        assert_true(record->latency_error.ns >= SPAN_MS(7).ns);
        assert_int_equal(core_stats(fixture.core)->negative_latencies, CASES[i].latency.ns < 0);
        core_fixture_end(&fixture);
    }
}

// The sender's clock is 2 hours ahead for a while: what comes after that has been sent earlier, by
// its own account, and is newer all the same.
// Signed, but of a clock and an error beside all reason: both are bounded, neither is believed.
static void test_a_time_and_an_error_at_their_limits(void **state)
{
    (void)state;
    static const int64_t LIMIT = INT64_MAX / 1000 * 1000;
    static const struct tag LIMITS[] = {
        {.sent = {LIMIT}, .error = {LIMIT}},
        {.sent = {LIMIT}, .error = {0}},
    };
    for (size_t i = 0; i < 2; i++) {
        struct core_fixture fixture;
        core_fixture_begin(&fixture, 1);
        struct collect_report report = core_fixture_report(&fixture, "p0", 1, SPAN_SECONDS(1));
        report.tag.error.ns = LIMIT; // more than all of its latency
        core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
        core_fixture_wait(&fixture, SPAN_SECONDS(6));
        report = core_fixture_report(&fixture, "p0", 2, SPAN_SECONDS(1));
        report.tag.sent = LIMITS[i].sent;
        report.tag.error = LIMITS[i].error;
        core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
        assert_int_equal(core_peer(fixture.core, 0)->stats.resolved[INBOUND][VERDICT_ON_TIME], 2);
        assert_int_equal(core_stats(fixture.core)->negative_latencies, 1);
        core_fixture_end(&fixture);
    }
}

static void test_silence_survives_a_step_of_the_senders_clock(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    for (unsigned i = 0; i < 20; i++) {
        struct span latency = i < 10 ? SPAN_HOURS(-2) : SPAN_SECONDS(1);
        struct collect_report report = core_fixture_report(&fixture, "p0", i, latency);
        core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
        core_fixture_run(&fixture, SPAN_MINUTES(1), NULL, NULL);
    }
    const struct incident_counts *silent =
        core_incident_counts(fixture.core, INCIDENT_SILENT, SEVERITY_CRITICAL);
    assert_int_equal(silent->opened, 0);
    core_fixture_run(&fixture, SPAN_MINUTES(6), NULL, NULL);
    assert_int_equal(silent->opened, 1);
    core_fixture_end(&fixture);
}

// Its relay strips our headers: the Message-ID still tells slot and time, and the cadence goes on.
static void test_stripped_probes_are_no_silence(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    for (unsigned i = 0; i < 20; i++) {
        struct collect_report report = core_fixture_report(&fixture, "p0", i, SPAN_SECONDS(1));
        report.stripped = true;
        report.tag.next = report.tag.drain = SPAN_ZERO;
        core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
        core_fixture_run(&fixture, SPAN_MINUTES(1), NULL, NULL);
    }
    const struct incident_counts *silent =
        core_incident_counts(fixture.core, INCIDENT_SILENT, SEVERITY_CRITICAL);
    assert_int_equal(silent->opened, 0);
    core_fixture_run(&fixture, SPAN_MINUTES(6), NULL, NULL);
    assert_int_equal(silent->opened, 1);
    core_fixture_end(&fixture);
}

// ---- receipts ----

static void collect_at(struct core_fixture *fixture)
{
    struct event event = {.kind = EVENT_COLLECTED, .collected = {0, fixture->now.wall, 0}};
    core_fixture_handle(fixture, &event);
}

static void arrive_many(struct core_fixture *fixture, unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++) {
        struct collect_report report = core_fixture_report(fixture, "p0", i, SPAN_SECONDS(1));
        core_fixture_arrive(fixture, &report, ARRIVAL_NEW);
        core_fixture_wait(fixture, SPAN_MS(100));
    }
    collect_at(fixture);
}

static void test_receipts_newest_first_until_seen(void **state)
{
    (void)state;
    struct core_fixture fixture;
    struct receipts receipts;
    core_fixture_begin(&fixture, 1);
    arrive_many(&fixture, 0, 3);
    core_fixture_receipts(&fixture, 0, &receipts);
    assert_int_equal(receipts.count, 3);
    assert_int_equal(receipts.as_of.ns, fixture.now.wall.ns);
    assert_false(walltime_known(receipts.gap_end));
    for (unsigned i = 0; i < 3; i++) {
        struct probe_id id = core_fixture_id(2 - i);
        assert_memory_equal(&receipts.items[i].id, &id, sizeof id);
    }
    core_fixture_wait(&fixture, SPAN_SECONDS(1));
    struct collect_report report = core_fixture_report(&fixture, "p0", 3, SPAN_SECONDS(1));
    struct text list = TEXT_OVER(report.receipts);
    struct receipts theirs = {.as_of = fixture.now.wall, .seen = receipts.as_of};
    receipts_format(&theirs, &list);
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    core_fixture_receipts(&fixture, 0, &receipts);
    assert_int_equal(receipts.count, 1); // only the one that the peer cannot have seen
    assert_int_equal(walltime_microseconds(receipts.seen), walltime_microseconds(fixture.now.wall));
    core_fixture_end(&fixture);
}

static void arrive_having_seen(struct core_fixture *fixture, unsigned number, struct walltime seen)
{
    struct collect_report report = core_fixture_report(fixture, "p0", number, SPAN_SECONDS(1));
    struct text list = TEXT_OVER(report.receipts);
    struct receipts theirs = {.as_of = fixture->now.wall, .seen = seen};
    receipts_format(&theirs, &list);
    core_fixture_arrive(fixture, &report, ARRIVAL_NEW);
}

static struct walltime recorded_seen(const struct core_fixture *fixture)
{
    for (size_t i = 0; i < fixture->actions.count; i++) {
        if (fixture->actions.items[i].kind == ACTION_RECORD_PROBE) {
            return fixture->actions.items[i].probe.seen;
        }
    }
    fail();
    return WALLTIME_NONE;
}

static void test_an_arrival_is_recorded_with_what_its_sender_has_seen(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct walltime before = walltime_add(fixture.now.wall, SPAN_SECONDS(-30));
    struct walltime after = walltime_add(fixture.now.wall, SPAN_HOURS(1));
    const struct walltime said[] = {before, after, before},
                          kept[] = {before, WALLTIME_NONE, before};
    for (unsigned i = 0; i < 3; i++) { // the second is of our clock before it was put back
        arrive_having_seen(&fixture, i, said[i]);
        assert_int_equal(walltime_microseconds(recorded_seen(&fixture)),
                         walltime_microseconds(kept[i]));
    }
    struct collect_report silent = core_fixture_report(&fixture, "p0", 3, SPAN_SECONDS(1));
    core_fixture_arrive(&fixture, &silent, ARRIVAL_NEW);
    assert_false(walltime_known(recorded_seen(&fixture)));
    core_fixture_end(&fixture);
}

// It was in a folder that could not be read, say: the peer has seen what is later, but not that.
static void test_what_is_found_late_is_recorded_as_unseen(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct walltime before = walltime_add(fixture.now.wall, SPAN_SECONDS(-30));
    struct walltime saved = walltime_add(fixture.now.wall, SPAN_HOURS(-1));
    struct collect_report late = core_fixture_report(&fixture, "p0", 0, SPAN_HOURS(1));
    late.absent.wall = late.tag.sent;
    late.saved = saved;
    core_fixture_arrive(&fixture, &late, ARRIVAL_NEW);
    arrive_having_seen(&fixture, 1, before);
    assert_true(recorded_seen(&fixture).ns <= walltime_add(saved, SPAN_SECONDS(1)).ns);
    core_fixture_wait(&fixture, SPAN_SECONDS(1));
    collect_at(&fixture);
    struct walltime told = fixture.now.wall;
    core_fixture_wait(&fixture, SPAN_SECONDS(60));
    arrive_having_seen(&fixture, 2, told);
    assert_int_equal(walltime_microseconds(recorded_seen(&fixture)), walltime_microseconds(told));
    core_fixture_end(&fixture);
}

// Two cores talk until each receipt has come through, however many there were at once.
static void test_a_flush_of_receipts_comes_through_in_pieces(void **state)
{
    (void)state;
    enum { PROBES = 300 };
    struct core_fixture fixture;
    struct receipts receipts;
    bool told[PROBES] = {false};
    core_fixture_begin(&fixture, 1);
    arrive_many(&fixture, 0, PROBES);
    for (unsigned round = 0; round < 20; round++) {
        core_fixture_receipts(&fixture, 0, &receipts);
        for (size_t i = 0; i < receipts.count; i++) {
            for (unsigned k = 0; k < PROBES; k++) {
                struct probe_id id = core_fixture_id(k);
                told[k] |= probe_id_equal(&id, &receipts.items[i].id);
            }
        }
        core_fixture_wait(&fixture, SPAN_SECONDS(1));
        struct collect_report report =
            core_fixture_report(&fixture, "p0", PROBES + round, SPAN_SECONDS(1));
        struct text list = TEXT_OVER(report.receipts);
        struct receipts theirs = {.as_of = fixture.now.wall,
                                  .seen = walltime_known(receipts.gap_end) ? receipts.gap_begin
                                                                           : receipts.as_of};
        receipts_format(&theirs, &list);
        core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
        collect_at(&fixture);
    }
    for (unsigned k = 0; k < PROBES; k++) {
        assert_true(told[k]);
    }
    assert_true(receipts.count < RECEIPTS_MAXIMUM);
    core_fixture_end(&fixture);
}

static void receive_receipt(struct core_fixture *fixture, unsigned number,
                            const struct probe_id *id)
{
    struct collect_report report = core_fixture_report(fixture, "p0", number, SPAN_SECONDS(1));
    struct receipts theirs = {.as_of = fixture->now.wall,
                              .count = 1,
                              .items = {{.id = *id, .arrived = fixture->now.wall}}};
    struct text list = TEXT_OVER(report.receipts);
    receipts_format(&theirs, &list);
    core_fixture_arrive(fixture, &report, ARRIVAL_NEW);
}

static void test_receipts_that_nobody_takes_are_bounded(void **state)
{
    (void)state;
    struct core_fixture fixture;
    struct receipts receipts;
    core_fixture_begin(&fixture, 1);
    arrive_many(&fixture, 0, UNSEEN_RECEIPTS_MAXIMUM + 100);
    assert_int_equal(core_peer(fixture.core, 0)->inbound.unseen_count, UNSEEN_RECEIPTS_MAXIMUM);
    core_fixture_receipts(&fixture, 0, &receipts);
    assert_int_equal(receipts.count, RECEIPTS_MAXIMUM);
    assert_true(walltime_known(receipts.gap_end));
    struct probe_id newest = core_fixture_id(UNSEEN_RECEIPTS_MAXIMUM + 99);
    assert_true(probe_id_equal(&receipts.items[0].id, &newest));
    core_fixture_end(&fixture);
}

static void test_lost_arrives_after_all(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct probe_id id = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    core_fixture_wait(&fixture, SPAN_HOURS(133));
    do {
        core_fixture_time(&fixture);
    } while (instant_reached(fixture.now.instant, core_next_deadline(fixture.core)));
    const struct peer_stats *stats = &core_peer(fixture.core, 0)->stats;
    assert_int_equal(stats->resolved[OUTBOUND][VERDICT_LOST], 1);

    receive_receipt(&fixture, 1, &id);
    receive_receipt(&fixture, 2, &id);
    assert_int_equal(stats->arrived_after_loss, 1);
    assert_int_equal(stats->resolved[OUTBOUND][VERDICT_LOST], 1);
    assert_int_equal(stats->resolved[OUTBOUND][VERDICT_LATE], 0);
    core_fixture_end(&fixture);
}

static void test_a_receipt_before_the_outcome_is_asked_for_again(void **state)
{
    (void)state;
    struct core_fixture fixture;
    struct receipts receipts;
    core_fixture_begin(&fixture, 1);
    while (core_fixture_count(&fixture, ACTION_SEND) == 0) {
        core_fixture_wait(&fixture, SPAN_SECONDS(5));
        core_fixture_time(&fixture);
    }
    struct probe_id id = core_fixture_action(&fixture, ACTION_SEND)->send.tag.id;
    receive_receipt(&fixture, 1, &id);
    core_fixture_receipts(&fixture, 0, &receipts);
    assert_false(walltime_known(receipts.seen));
    core_fixture_submitted(&fixture, 0, &id, SUBMIT_UNCERTAIN);
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 1);
    receive_receipt(&fixture, 2, &id);
    core_fixture_receipts(&fixture, 0, &receipts);
    assert_true(walltime_known(receipts.seen));
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 0);
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrivals_that_are_none),
        cmocka_unit_test(test_a_live_check_is_left_to_the_one_that_makes_it),
        cmocka_unit_test(test_probes_that_come_back_are_loops),
        cmocka_unit_test(test_copies_are_no_loops),
        cmocka_unit_test(test_rejections_are_counted_by_reason),
        cmocka_unit_test(test_path_states),
        cmocka_unit_test(test_three_refusals_refuse_a_path),
        cmocka_unit_test(test_a_negative_latency_is_counted_not_observed),
        cmocka_unit_test(test_an_arrival_lies_between_two_questions),
        cmocka_unit_test(test_a_time_and_an_error_at_their_limits),
        cmocka_unit_test(test_silence_survives_a_step_of_the_senders_clock),
        cmocka_unit_test(test_stripped_probes_are_no_silence),
        cmocka_unit_test(test_receipts_newest_first_until_seen),
        cmocka_unit_test(test_an_arrival_is_recorded_with_what_its_sender_has_seen),
        cmocka_unit_test(test_what_is_found_late_is_recorded_as_unseen),
        cmocka_unit_test(test_a_flush_of_receipts_comes_through_in_pieces),
        cmocka_unit_test(test_receipts_that_nobody_takes_are_bounded),
        cmocka_unit_test(test_lost_arrives_after_all),
        cmocka_unit_test(test_a_receipt_before_the_outcome_is_asked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
