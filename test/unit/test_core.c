// The core as a whole, where a scenario would be the long way: bounded actions, slots, receipts,
// reload, restore, clocks that step.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core_fixture.h"

static void handle_time(struct core_fixture *fixture)
{
    const struct event event = {.kind = EVENT_TIME};
    core_fixture_handle(fixture, &event);
}

// ---- actions ----

static void test_a_thousand_timers_at_once(void **state)
{
    (void)state;
    enum { PEERS = 1000 };
    struct core_fixture fixture;
    core_fixture_begin(&fixture, PEERS);
    core_fixture_wait(&fixture, SPAN_SECONDS(62));
    size_t sent = 0, calls = 0;
    do {
        handle_time(&fixture);
        sent += core_fixture_count(&fixture, ACTION_SEND);
        assert_true(fixture.actions.count <= ACTIONS_MAXIMUM);
        assert_true(++calls < 100);
    } while (instant_reached(fixture.now.instant, core_next_deadline(fixture.core)));
    assert_int_equal(sent, PEERS);
    assert_true(calls > 1);
    core_fixture_end(&fixture);
}

static void test_a_thousand_incidents_close_at_once(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1000);
    core_fixture_run(&fixture, SPAN_MINUTES(30), NULL, NULL);
    assert_int_equal(
        core_incident_counts(fixture.core, INCIDENT_SILENT, SEVERITY_CRITICAL)->notified, 1000);
    struct settings *before = fixture.settings;
    fixture.settings = core_settings_of(1);
    core_configure(fixture.core, fixture.settings, fixture.now);
    arena_destroy(before->arena);
    size_t resolved = 0;
    do {
        handle_time(&fixture);
        for (size_t i = 0; i < fixture.actions.count; i++) {
            const struct action *action = &fixture.actions.items[i];
            resolved += action->kind == ACTION_NOTIFY && action->notice == NOTICE_RESOLVED;
        }
    } while (instant_reached(fixture.now.instant, core_next_deadline(fixture.core)));
    assert_int_equal(resolved, 999);
    core_fixture_end(&fixture);
}

struct transitions_seen {
    unsigned begun;
    unsigned ended;
};

static void see_transition(void *context, const struct action *action)
{
    struct transitions_seen *seen = context;
    if (action->kind == ACTION_WINDOW) {
        seen->begun += action->window.transition == WINDOW_BEGINS;
        seen->ended += action->window.transition == WINDOW_ENDS;
    }
}

static void test_hundreds_of_windows_at_once(void **state)
{
    (void)state;
    enum { WINDOWS = 700 };
    struct core_fixture fixture;
    struct transitions_seen seen = {0, 0};
    core_fixture_begin(&fixture, 3);
    for (int i = 0; i < WINDOWS; i++) {
        struct event event = {.kind = EVENT_WINDOW};
        struct window *window = &event.window;
        *window = (struct window){.revision = 1,
                                  .begin = walltime_add(fixture.now.wall, SPAN_MINUTES(10)),
                                  .end = walltime_add(fixture.now.wall, SPAN_MINUTES(20))};
        snprintf(window->id, sizeof window->id, "w-%d", i);
        snprintf(window->server, sizeof window->server, "p%d", i % 3);
        core_fixture_handle(&fixture, &event);
    }
    core_fixture_run(&fixture, SPAN_MINUTES(11), see_transition, &seen);
    assert_int_equal(seen.begun, WINDOWS);
    assert_int_equal(seen.ended, 0);
    core_fixture_run(&fixture, SPAN_MINUTES(30), see_transition, &seen);
    assert_int_equal(seen.begun, WINDOWS);
    assert_int_equal(seen.ended, WINDOWS);
    core_fixture_end(&fixture);
}

// ---- slots ----

struct slots_seen {
    struct core_fixture *fixture;
    int64_t reserved;
    int64_t last;
    struct instant at;
    size_t count;
};

static void see_slot(void *context, const struct action *action)
{
    struct slots_seen *seen = context;
    if (action->kind == ACTION_RESERVE_SLOTS) {
        seen->reserved = action->slots.reserved;
    } else if (action->kind == ACTION_SEND) {
        const struct tag *tag = &action->send.tag;
        struct span apart = instant_since(seen->fixture->now.instant, seen->at);
        assert_int_equal(tag->kind, PROBE_SLOT);
        assert_true(tag->slot < seen->reserved); // durably, before it is used
        assert_true(seen->count == 0 || tag->slot == seen->last + 1);
        assert_true(seen->count == 0 ||
                    (apart.ns > SPAN_SECONDS(58).ns && apart.ns < SPAN_SECONDS(62).ns));
        seen->last = tag->slot;
        seen->at = seen->fixture->now.instant;
        seen->count++;
        struct probe_id id = tag->id;
        core_fixture_submitted(seen->fixture, 0, &id, SUBMIT_ACCEPTED);
        seen->fixture->actions.count = 0;
    }
}

static void test_slots_never_wait_for_an_earlier_probe(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct slots_seen seen = {.fixture = &fixture};
    core_fixture_run(&fixture, SPAN_MINUTES(5), see_slot, &seen);
    assert_true(seen.count == 5 || seen.count == 4);
    core_fixture_end(&fixture);
}

static void test_a_relay_that_hangs_makes_slots_missed(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    core_fixture_run(&fixture, SPAN_MINUTES(10), NULL, NULL);
    const struct peer *peer = core_peer(fixture.core, 0);
    assert_int_equal(peer->outbound.sending_count, SENDING_MAXIMUM);
    assert_true(peer->stats.slots_missed >= 5);
    core_fixture_end(&fixture);
}

static void test_a_long_sleep_counts_what_it_missed(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    core_fixture_run(&fixture, SPAN_MINUTES(2), NULL, NULL);
    int64_t slot = core_peer(fixture.core, 0)->outbound.next_slot;
    core_fixture_wait(&fixture, SPAN_HOURS(24));
    handle_time(&fixture);
    const struct peer *peer = core_peer(fixture.core, 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_SEND), 1);
    assert_in_range(peer->stats.slots_missed, 1438, 1440);
    assert_int_equal(peer->outbound.next_slot - slot, (int64_t)peer->stats.slots_missed + 1);
    core_fixture_end(&fixture);
}

// ---- arrivals ----

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
    assert_int_equal(core_peer(fixture.core, 0)->stats.received, 0);
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

// The sender's clock is 2 hours ahead for a while: what comes after that has been sent earlier, by
// its own account, and is newer all the same.
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
    core_receipts(fixture.core, 0, &receipts);
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
    core_receipts(fixture.core, 0, &receipts);
    assert_int_equal(receipts.count, 1); // only the one that the peer cannot have seen
    assert_int_equal(walltime_microseconds(receipts.seen), walltime_microseconds(fixture.now.wall));
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
        core_receipts(fixture.core, 0, &receipts);
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

static struct probe_id send_one(struct core_fixture *fixture, enum submit_result result)
{
    while (core_fixture_count(fixture, ACTION_SEND) == 0) {
        core_fixture_wait(fixture, SPAN_SECONDS(5));
        handle_time(fixture);
    }
    struct probe_id id = core_fixture_action(fixture, ACTION_SEND)->send.tag.id;
    core_fixture_submitted(fixture, 0, &id, result);
    return id;
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

static void test_lost_arrives_after_all(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct probe_id id = send_one(&fixture, SUBMIT_ACCEPTED);
    core_fixture_wait(&fixture, SPAN_HOURS(133));
    do {
        handle_time(&fixture);
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
        handle_time(&fixture);
    }
    struct probe_id id = core_fixture_action(&fixture, ACTION_SEND)->send.tag.id;
    receive_receipt(&fixture, 1, &id);
    core_receipts(fixture.core, 0, &receipts);
    assert_false(walltime_known(receipts.seen));
    core_fixture_submitted(&fixture, 0, &id, SUBMIT_UNCERTAIN);
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 1);
    receive_receipt(&fixture, 2, &id);
    core_receipts(fixture.core, 0, &receipts);
    assert_true(walltime_known(receipts.seen));
    assert_int_equal(core_peer(fixture.core, 0)->outbound.flights.count, 0);
    core_fixture_end(&fixture);
}

// ---- reload and restore ----

static void test_reload_keeps_what_is_known_by_name(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 12);
    int before = settings_find_peer(fixture.settings, "p7");
    struct collect_report report = core_fixture_report(&fixture, "p7", 1, SPAN_SECONDS(80));
    core_fixture_arrive(&fixture, &report, ARRIVAL_NEW);
    struct settings *old = fixture.settings;
    fixture.settings = core_settings_of(8);
    struct peer_settings *peers = (struct peer_settings *)fixture.settings->peers;
    struct peer_settings p7 = peers[7]; // in another place, with another threshold
    peers[7] = peers[0];
    peers[0] = p7;
    peers[0].path.latency.warning = SPAN_SECONDS(90);
    uint32_t *by_name = (uint32_t *)fixture.settings->peers_by_name;
    by_name[0] = 7;
    by_name[7] = 0;
    core_configure(fixture.core, fixture.settings, fixture.now);
    arena_destroy(old->arena);

    int after = settings_find_peer(fixture.settings, "p7");
    assert_int_not_equal(before, after);
    const struct peer *peer = core_peer(fixture.core, after);
    assert_int_equal(peer->stats.received, 1);
    assert_int_equal(peer->stats.latency[INBOUND].count, 1);
    assert_int_equal(peer->inbound.newest_slot, 1001);
    assert_int_equal(core_peer(fixture.core, 7)->stats.received, 0);
    core_fixture_run(&fixture, SPAN_MINUTES(2), NULL, NULL); // every timer finds its peer
    core_fixture_end(&fixture);
}

static void test_restore_goes_on_where_it_was(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    core_destroy(fixture.core);
    fixture.core = core_create(fixture.settings, fixture.now, 7);
    struct walltime ago = walltime_add(fixture.now.wall, SPAN_SECONDS(-20));
    struct probe_record flight = {.id = core_fixture_id(1),
                                  .peer = "p0",
                                  .direction = OUTBOUND,
                                  .state = PROBE_ACCEPTED,
                                  .slot = 500,
                                  .planned = ago,
                                  .sent = ago};
    core_restore_slots(fixture.core, 0, 600);
    core_restore_probe(fixture.core, &flight);
    core_restore_last_incident(fixture.core, 41);
    assert_false(core_start(fixture.core, fixture.now, ago, ago));
    const struct outbound *outbound = &core_peer(fixture.core, 0)->outbound;
    assert_int_equal(outbound->flights.count, 1);
    assert_int_equal(outbound->next_slot, 600);
    assert_int_equal(outbound->previous_slot, 500);
    // the phase of the cadence is kept: 40 s from now and a little jitter
    struct span ahead = instant_since(outbound->due, fixture.now.instant);
    assert_in_range(ahead.ns, SPAN_SECONDS(40).ns, SPAN_SECONDS(41).ns);
    core_fixture_end(&fixture);
}

static void test_what_is_restored_is_not_said_again(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    core_fixture_run(&fixture, SPAN_MINUTES(12), NULL, NULL);
    const struct incidents *incidents = core_incidents(fixture.core);
    assert_int_equal(incidents->count, 1);
    struct incident silent = *incidents->places[0];
    assert_true(silent.notified);
    core_destroy(fixture.core);
    fixture.core = core_create(fixture.settings, fixture.now, 8);
    core_restore_incident(fixture.core, &silent, fixture.now);
    core_start(fixture.core, fixture.now, fixture.now.wall, fixture.now.wall);
    core_fixture_readable(&fixture, true);
    core_fixture_run(&fixture, SPAN_HOURS(3), NULL, NULL);
    assert_int_equal(
        core_incident_counts(fixture.core, INCIDENT_SILENT, SEVERITY_CRITICAL)->notified, 0);
    core_fixture_run(&fixture, SPAN_HOURS(1), NULL, NULL); // the reminder
    assert_int_equal(
        core_incident_counts(fixture.core, INCIDENT_SILENT, SEVERITY_CRITICAL)->notified, 1);
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thousand_timers_at_once),
        cmocka_unit_test(test_a_thousand_incidents_close_at_once),
        cmocka_unit_test(test_hundreds_of_windows_at_once),
        cmocka_unit_test(test_slots_never_wait_for_an_earlier_probe),
        cmocka_unit_test(test_a_relay_that_hangs_makes_slots_missed),
        cmocka_unit_test(test_a_long_sleep_counts_what_it_missed),
        cmocka_unit_test(test_arrivals_that_are_none),
        cmocka_unit_test(test_a_negative_latency_is_counted_not_observed),
        cmocka_unit_test(test_silence_survives_a_step_of_the_senders_clock),
        cmocka_unit_test(test_receipts_newest_first_until_seen),
        cmocka_unit_test(test_a_flush_of_receipts_comes_through_in_pieces),
        cmocka_unit_test(test_lost_arrives_after_all),
        cmocka_unit_test(test_a_receipt_before_the_outcome_is_asked_for_again),
        cmocka_unit_test(test_reload_keeps_what_is_known_by_name),
        cmocka_unit_test(test_restore_goes_on_where_it_was),
        cmocka_unit_test(test_what_is_restored_is_not_said_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
