// The core as a whole, where a scenario would be the long way: bounded actions, slots, reload,
// restore.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core_fixture.h"

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
        core_fixture_time(&fixture);
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
    assert_int_equal(core_incident_counts(fixture.core, INCIDENT_SILENT, SEVERITY_CRITICAL)->opened,
                     1000);
    assert_int_equal(
        core_incident_counts(fixture.core, INCIDENT_ISOLATED, SEVERITY_CRITICAL)->notified, 1);
    struct settings *before = fixture.settings;
    fixture.settings = core_settings_of(1);
    core_configure(fixture.core, fixture.settings, fixture.now);
    arena_destroy(before->arena);
    size_t closed = 0;
    do {
        core_fixture_time(&fixture);
        for (size_t i = 0; i < fixture.actions.count; i++) {
            const struct action *action = &fixture.actions.items[i];
            closed += action->kind == ACTION_INCIDENT && action->incident.kind == INCIDENT_SILENT &&
                      walltime_known(action->incident.closed);
        }
    } while (instant_reached(fixture.now.instant, core_next_deadline(fixture.core)));
    assert_int_equal(closed, 999);
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
    core_fixture_time(&fixture);
    const struct peer *peer = core_peer(fixture.core, 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_SEND), 1);
    assert_in_range(peer->stats.slots_missed, 1438, 1440);
    assert_int_equal(peer->outbound.next_slot - slot, (int64_t)peer->stats.slots_missed + 1);
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

static void test_reload_drops_mailboxes_that_nobody_could_read(void **state)
{
    (void)state;
    static const struct mailbox_settings THREE[] = {
        {.name = "first"}, {.name = "second"}, {.name = "local"}};
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct settings *old = fixture.settings;
    fixture.settings = core_settings_of(1);
    fixture.settings->mailboxes = THREE;
    fixture.settings->mailbox_count = 3;
    core_configure(fixture.core, fixture.settings, fixture.now);
    arena_destroy(old->arena);

    old = fixture.settings;
    fixture.settings = core_settings_of(1);
    core_configure(fixture.core, fixture.settings, fixture.now);
    arena_destroy(old->arena);
    core_fixture_run(&fixture, SPAN_MINUTES(5), NULL, NULL); // blind_after passes meanwhile
    assert_string_equal(core_mailbox(fixture.core, 0)->settings->name, "local");
    core_fixture_end(&fixture);
}

// Settle was 5 minutes when it started: whoever makes it less need not wait for the start any more.
static void test_reload_changes_what_the_start_settles(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct event begin = {.kind = EVENT_WINDOW,
                          .window = {.id = "w-1",
                                     .revision = 1,
                                     .server = "p0",
                                     .begin = fixture.now.wall,
                                     .end = walltime_add(fixture.now.wall, SPAN_SECONDS(2))}};
    core_fixture_handle(&fixture, &begin);
    core_fixture_run(&fixture, SPAN_SECONDS(10), NULL, NULL);
    struct settings *old = fixture.settings;
    fixture.settings = core_settings_of(1);
    fixture.settings->maintenance.settle = SPAN_SECONDS(15);
    core_configure(fixture.core, fixture.settings, fixture.now);
    arena_destroy(old->arena);
    const struct incident_counts *overruns =
        core_incident_counts(fixture.core, INCIDENT_OVERRUN, SEVERITY_CRITICAL);
    core_fixture_run(&fixture, SPAN_SECONDS(64), NULL, NULL); // settle and an interval: 75 s
    assert_int_equal(overruns->notified, 0);
    core_fixture_run(&fixture, SPAN_SECONDS(2), NULL, NULL);
    assert_int_equal(overruns->notified, 1);
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

// But what may have been found late, and what nobody is known to have seen.
static void test_what_was_seen_before_a_restart_is_not_told_again(void **state)
{
    (void)state;
    struct core_fixture fixture;
    struct receipts receipts;
    core_fixture_begin(&fixture, 2);
    core_destroy(fixture.core);
    fixture.core = core_create(fixture.settings, fixture.now, 7);
    core_restore_seen(fixture.core, 0, walltime_add(fixture.now.wall, SPAN_MINUTES(-2)));
    for (unsigned i = 0; i < 20; i++) { // the last arrived now
        struct walltime at = walltime_add(fixture.now.wall, SPAN_MINUTES((int)i / 2 - 9));
        struct probe_record arrived = {.id = core_fixture_id(i),
                                       .direction = INBOUND,
                                       .state = PROBE_ARRIVED,
                                       .slot = i,
                                       .sent = at,
                                       .arrived = at};
        text_copy(arrived.peer, sizeof arrived.peer, i % 2 == 0 ? "p0" : "p1");
        core_restore_probe(fixture.core, &arrived);
    }
    core_start(fixture.core, fixture.now, fixture.now.wall, fixture.now.wall);
    core_fixture_receipts(&fixture, 0, &receipts);
    assert_int_equal(receipts.count, 4); // of 3, 2, 1 and 0 minutes ago
    core_fixture_receipts(&fixture, 1, &receipts);
    assert_int_equal(receipts.count, 10);
    core_fixture_end(&fixture);
}

static void test_what_is_restored_is_not_said_again(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    core_fixture_run(&fixture, SPAN_MINUTES(12), NULL, NULL);
    const struct incidents *incidents = core_incidents(fixture.core);
    struct incident down = *incidents->places[1], silent = *incidents->places[0];
    assert_int_equal(down.kind, INCIDENT_DOWN);
    assert_true(down.notified);
    assert_int_equal(silent.cause, down.id);
    core_destroy(fixture.core);
    fixture.core = core_create(fixture.settings, fixture.now, 8);
    core_restore_incident(fixture.core, &silent, fixture.now);
    core_restore_incident(fixture.core, &down, fixture.now);
    core_start(fixture.core, fixture.now, fixture.now.wall, fixture.now.wall);
    core_fixture_readable(&fixture, true);
    core_fixture_run(&fixture, SPAN_HOURS(3), NULL, NULL);
    assert_int_equal(core_incident_counts(fixture.core, INCIDENT_DOWN, SEVERITY_CRITICAL)->notified,
                     0);
    core_fixture_run(&fixture, SPAN_HOURS(1), NULL, NULL); // the reminder
    assert_int_equal(core_incident_counts(fixture.core, INCIDENT_DOWN, SEVERITY_CRITICAL)->notified,
                     1);
    core_fixture_end(&fixture);
}

// A mailbox can be read a moment before it has been read; what is missed in between is caught up.
static void test_an_overrun_is_found_once_the_mailbox_has_been_read(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    struct event begin = {.kind = EVENT_WINDOW,
                          .window = {.id = "w-1",
                                     .revision = 1,
                                     .server = "p0",
                                     .begin = fixture.now.wall,
                                     .end = walltime_add(fixture.now.wall, SPAN_MINUTES(10))}};
    core_fixture_handle(&fixture, &begin);
    core_fixture_run(&fixture, SPAN_MINUTES(9), NULL, NULL);
    core_fixture_readable(&fixture, false);
    core_fixture_run(&fixture, SPAN_MINUTES(2), NULL, NULL);
    const struct event readable = {.kind = EVENT_MAILBOX, .mailbox = {0, true, ""}};
    core_fixture_handle(&fixture, &readable);
    core_fixture_run(&fixture, SPAN_MS(100), NULL, NULL);
    const struct event read = {.kind = EVENT_COLLECTED, .collected = {0, fixture.now.wall, 0}};
    core_fixture_handle(&fixture, &read);
    core_fixture_run(&fixture, SPAN_MINUTES(6), NULL, NULL);
    const struct incident_counts *overruns =
        core_incident_counts(fixture.core, INCIDENT_OVERRUN, SEVERITY_CRITICAL);
    assert_int_equal(overruns->opened, 1);
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
        cmocka_unit_test(test_reload_keeps_what_is_known_by_name),
        cmocka_unit_test(test_reload_drops_mailboxes_that_nobody_could_read),
        cmocka_unit_test(test_reload_changes_what_the_start_settles),
        cmocka_unit_test(test_restore_goes_on_where_it_was),
        cmocka_unit_test(test_what_was_seen_before_a_restart_is_not_told_again),
        cmocka_unit_test(test_what_is_restored_is_not_said_again),
        cmocka_unit_test(test_an_overrun_is_found_once_the_mailbox_has_been_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
