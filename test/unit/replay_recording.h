// What the tests of a replay share: a ledger to replay, and what came of it.
#ifndef MAILFLOW_TEST_REPLAY_RECORDING_H
#define MAILFLOW_TEST_REPLAY_RECORDING_H

#include "replay/replay.h"

#include "core_fixture.h"
#include "store_fixture.h"

// A recording of one peer with an agent, p0: a probe each way every minute, seen after a second.
enum { MINUTES = 180, SLOT_FIRST = 1000 };

struct recording {
    const char *directory;
    struct store *store;
    struct settings *settings;
    char ledger[FILE_SIZE];
    int outage_begin; // in minutes; nothing arrives until ...
    int outage_end;   // ... this, then all that waited
    int away_begin;   // the agent is not running
    int away_end;
};

static inline struct walltime at_minute(int minute)
{
    return WALL(minute * 60);
}

// When a probe of this minute arrives.
static inline struct walltime arrival_of(const struct recording *recording, int minute)
{
    bool waits = minute >= recording->outage_begin && minute < recording->outage_end;
    return walltime_add(at_minute(waits ? recording->outage_end : minute), SPAN_SECONDS(1));
}

// A probe that has arrived on time.
static inline struct probe_record arrived_record(unsigned number, enum direction direction,
                                                 struct walltime sent, struct walltime arrived)
{
    bool outbound = direction == OUTBOUND;
    return (struct probe_record){
        .id = fixture_id(number),
        .peer = "p0",
        .direction = direction,
        .state = PROBE_ARRIVED,
        .verdict = VERDICT_ON_TIME,
        .planned = outbound ? sent : WALLTIME_NONE,
        .sent = sent,
        .accepted = outbound ? sent : WALLTIME_NONE,
        .arrived = arrived,
        .latency = walltime_since(arrived, sent),
    };
}

static inline struct probe_record record_of(const struct recording *recording, int minute,
                                            unsigned number, enum direction direction)
{
    struct probe_record record =
        arrived_record(number, direction, at_minute(minute), arrival_of(recording, minute));
    record.slot = SLOT_FIRST + minute;
    record.next = direction == INBOUND ? SPAN_SECONDS(60) : SPAN_ZERO;
    if (record.latency.ns > SPAN_SECONDS(60).ns) {
        record.verdict = VERDICT_LATE;
    }
    return record;
}

static inline void put_inbound(const struct recording *recording, int minute)
{
    struct probe_record record = record_of(recording, minute, 10000 + (unsigned)minute, INBOUND);
    struct collect_report report = {
        .mailbox = "local",
        .folder = "INBOX",
        .tag.id = record.id,
        .absent.wall = walltime_add(record.arrived, (struct span){-1000000}),
        .present.wall = record.arrived,
    };
    record.latency_error = SPAN_MS(1);
    store_put_message(recording->store, &record.id, &report);
    store_put_probe(recording->store, &record);
}

static inline void put_outbound(const struct recording *recording, int minute)
{
    struct probe_record record = record_of(recording, minute, (unsigned)minute, OUTBOUND);
    struct submit_outcome outcome = {.result = SUBMIT_ACCEPTED, .code = 250};
    record.slot += minute >= recording->away_end && recording->away_end > 0 ? 100 : 0;
    store_put_probe(recording->store, &record);
    store_put_outcome(recording->store, &record.id, &outcome);
}

static inline void recording_begin(struct recording *recording, void **state)
{
    recording->directory = *state;
    recording->store = fixture_open(recording->directory);
    recording->settings = core_settings_of(1);
    snprintf(recording->ledger, sizeof recording->ledger, "%s/ledger.db", recording->directory);
    for (int minute = 0; minute < MINUTES; minute++) {
        bool away = minute >= recording->away_begin && minute < recording->away_end;
        if (!away) {
            put_outbound(recording, minute);
        }
        put_inbound(recording, minute);
    }
    fixture_commit(recording->store);
}

static inline void recording_end(struct recording *recording)
{
    store_close(recording->store);
    arena_destroy(recording->settings->arena);
}

static inline struct replay_request request_of(const struct recording *recording)
{
    return (struct replay_request){
        .ledger = recording->ledger, .settings = recording->settings, .recorded_windows = true};
}

static inline json_t *run(const struct replay_request *request)
{
    struct error error = {0};
    json_t *answer = replay_run(request, &error);
    assert_string_equal(error.message, "");
    assert_non_null(answer);
    return answer;
}

static inline json_int_t number(const json_t *answer, const char *side, const char *member)
{
    return json_integer_value(json_object_get(json_object_get(answer, side), member));
}

static inline json_int_t verdicts(const json_t *answer, const char *side, const char *direction,
                                  const char *verdict)
{
    const json_t *all = json_object_get(json_object_get(answer, side), "verdicts");
    return json_integer_value(json_object_get(json_object_get(all, direction), verdict));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
