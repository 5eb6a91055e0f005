// A peer that is signed and lies all the same: receipts for probes that were never sent, of times
// that cannot be. They are counted and said, and change nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core_fixture.h"

static void hear(struct core_fixture *fixture, int peer, const struct receipts *receipts)
{
    struct exchange said = {0};
    struct text list = TEXT_OVER(said.receipts);
    receipts_format(receipts, &list);
    assert_false(list.truncated);
    struct event event = {.kind = EVENT_EXCHANGE, .exchange = {peer, &said}};
    core_fixture_handle(fixture, &event);
}

// An honest word first: from then on the peer's receipts can be told to be new.
static struct probe_id begin(struct core_fixture *fixture, size_t peers)
{
    core_fixture_begin(fixture, peers);
    struct probe_id id = core_fixture_send(fixture, SUBMIT_ACCEPTED);
    core_fixture_wait(fixture, SPAN_SECONDS(1));
    struct receipts honest = {
        .as_of = fixture->now.wall, .count = 1, .items = {{id, fixture->now.wall, SPAN_ZERO}}};
    hear(fixture, 0, &honest);
    assert_int_equal(core_peer(fixture->core, 0)->stats.resolved[OUTBOUND][VERDICT_ON_TIME], 1);
    assert_int_equal(core_peer(fixture->core, 0)->stats.receipts_unknown, 0);
    return id;
}

static void test_probes_that_were_never_sent(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture, 1);
    const struct peer *peer = core_peer(fixture.core, 0);
    struct probe_id in_flight = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    core_fixture_wait(&fixture, SPAN_SECONDS(1));
    struct receipts lie = {.as_of = fixture.now.wall, .count = RECEIPTS_MAXIMUM};
    for (unsigned i = 0; i < RECEIPTS_MAXIMUM; i++) {
        lie.items[i] = (struct receipt){core_fixture_id(1000 + i), fixture.now.wall, SPAN_ZERO};
    }
    hear(&fixture, 0, &lie);
    assert_int_equal(core_fixture_count(&fixture, ACTION_RECORD_PROBE), 0);
    assert_int_equal(core_fixture_count(&fixture, ACTION_SAY_UNKNOWN), 1);
    assert_int_equal(core_fixture_action(&fixture, ACTION_SAY_UNKNOWN)->unknown.count, 32);
    assert_int_equal(peer->stats.receipts_unknown, 32);

    hear(&fixture, 0, &lie); // once more, as honest ones are repeated
    assert_int_equal(core_fixture_count(&fixture, ACTION_SAY_UNKNOWN), 0);
    assert_int_equal(peer->stats.receipts_unknown, 32);
    assert_int_equal(peer->outbound.flights.count, 1);
    assert_memory_equal(&peer->outbound.flights.items[0].id, &in_flight, sizeof in_flight);
    core_fixture_end(&fixture);
}

// What was sent to another peer is not this one's to tell of.
static void test_probes_of_another(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture, 2);
    const struct peer *liar = core_peer(fixture.core, 1), *other = core_peer(fixture.core, 0);
    hear(&fixture, 1, &(struct receipts){.as_of = fixture.now.wall});
    while (other->outbound.sending_count == 0) {
        core_fixture_wait(&fixture, SPAN_SECONDS(5));
        core_fixture_time(&fixture);
    }
    struct probe_id id = other->outbound.sending[0].id;
    core_fixture_submitted(&fixture, 0, &id, SUBMIT_ACCEPTED);
    for (unsigned i = 0; i < 2; i++) {
        core_fixture_wait(&fixture, SPAN_SECONDS(1));
        struct probe_id told = i == 0 ? core_fixture_id(7) : id;
        struct receipts lie = {
            .as_of = fixture.now.wall, .count = 1, .items = {{told, fixture.now.wall, SPAN_ZERO}}};
        hear(&fixture, 1, &lie);
    }
    assert_int_equal(other->outbound.flights.count, 1);
    assert_int_equal(liar->stats.receipts_unknown, 1);
    core_fixture_end(&fixture);
}

// What is said to have arrived in the future is late by nothing that we know.
static void test_arrivals_in_the_future(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture, 1);
    const struct peer *peer = core_peer(fixture.core, 0);
    for (unsigned i = 0; i < 10; i++) {
        struct probe_id id = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
        core_fixture_wait(&fixture, SPAN_SECONDS(1));
        struct walltime future = walltime_add(fixture.now.wall, SPAN_HOURS(24 * 365));
        struct receipts lie = {
            .as_of = future, .seen = future, .count = 1, .items = {{id, future, SPAN_ZERO}}};
        hear(&fixture, 0, &lie);
    }
    assert_int_equal(peer->outbound.flights.count, 0);
    assert_int_equal(peer->stats.resolved[OUTBOUND][VERDICT_LATE], 0);
    assert_int_equal(core_incident_counts(fixture.core, INCIDENT_SLOW, SEVERITY_WARNING)->opened,
                     0);
    assert_true(peer->outbound.receipts_as_of.ns <= fixture.now.wall.ns);
    core_fixture_end(&fixture);
}

// To know everything up to a time that is yet to come makes nothing silent before its time.
static void test_knowledge_of_the_future(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture, 1);
    core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    for (int i = 0; i < 4; i++) {
        core_fixture_wait(&fixture, SPAN_MINUTES(1));
        hear(&fixture, 0,
             &(struct receipts){.as_of = walltime_add(fixture.now.wall, SPAN_HOURS(1000))});
        core_fixture_time(&fixture);
    }
    const struct incident_counts *silent =
        core_incident_counts(fixture.core, INCIDENT_SILENT, SEVERITY_CRITICAL);
    assert_int_equal(silent->opened, 0);
    core_fixture_end(&fixture);
}

static void test_arrivals_before_they_were_sent(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture, 1);
    const struct peer *peer = core_peer(fixture.core, 0);
    uint64_t observed = peer->stats.latency[OUTBOUND].count;
    struct probe_id id = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
    struct walltime past = walltime_subtract(fixture.now.wall, SPAN_HOURS(1));
    hear(&fixture, 0,
         &(struct receipts){
             .as_of = fixture.now.wall, .count = 1, .items = {{id, past, SPAN_ZERO}}});
    assert_int_equal(core_stats(fixture.core)->negative_latencies, 1);
    assert_int_equal(peer->stats.latency[OUTBOUND].count, observed);
    assert_int_equal(peer->stats.resolved[OUTBOUND][VERDICT_LATE], 0);
    core_fixture_end(&fixture);
}

// Times and errors at the ends of their types.
static void test_limits(void **state)
{
    (void)state;
    static const int64_t LIMIT = INT64_MAX / 1000 * 1000;
    static const int64_t TIMES[] = {0, 1000, INT64_MAX / 1000 * 1000};
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        for (size_t k = 0; k < sizeof TIMES / sizeof TIMES[0]; k++) {
            struct core_fixture fixture;
            begin(&fixture, 1);
            struct probe_id id = core_fixture_send(&fixture, SUBMIT_ACCEPTED);
            struct receipts lie = {.as_of = {TIMES[k]},
                                   .seen = {TIMES[k]},
                                   .gap_begin = {TIMES[i]},
                                   .gap_end = {LIMIT},
                                   .count = 1,
                                   .items = {{id, {TIMES[i]}, {LIMIT}}}};
            hear(&fixture, 0, &lie);
            lie.gap_end = WALLTIME_NONE;
            hear(&fixture, 0, &lie);
            core_fixture_run(&fixture, SPAN_MINUTES(3), NULL, NULL);
            const struct peer *peer = core_peer(fixture.core, 0);
            assert_int_equal(peer->stats.resolved[OUTBOUND][VERDICT_LATE], 0);
            core_fixture_end(&fixture);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probes_that_were_never_sent),
        cmocka_unit_test(test_probes_of_another),
        cmocka_unit_test(test_arrivals_in_the_future),
        cmocka_unit_test(test_knowledge_of_the_future),
        cmocka_unit_test(test_arrivals_before_they_were_sent),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
