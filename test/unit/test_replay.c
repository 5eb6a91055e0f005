// What a recording comes to, replayed with its own thresholds and windows and with others.
#include "replay_recording.h"

static void a_quiet_recording_stays_quiet(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    struct replay_request request = request_of(&recording);
    json_t *answer = run(&request);
    assert_int_equal(json_integer_value(json_object_get(answer, "probes")), 2 * MINUTES);
    assert_int_equal(number(answer, "simulated", "notified"), 0);
    assert_int_equal(number(answer, "simulated", "suppressed"), 0);
    assert_int_equal(verdicts(answer, "simulated", "inbound", "on_time"), MINUTES);
    assert_int_equal(verdicts(answer, "recorded", "inbound", "on_time"), MINUTES);
    // The peer's last probe left before our last one came: it could not carry its receipt.
    assert_int_equal(verdicts(answer, "simulated", "outbound", "on_time"), MINUTES - 1);
    assert_int_equal(json_array_size(json_object_get(answer, "incidents")), 0);
    json_decref(answer);
    recording_end(&recording);
}

static void an_outage_is_notified_and_a_given_window_suppresses_it(void **state)
{
    struct recording recording = {.outage_begin = 60, .outage_end = 85};
    recording_begin(&recording, state);
    struct replay_request request = request_of(&recording);
    json_t *without = run(&request);
    assert_int_equal(number(without, "simulated", "notified"), 1);
    assert_int_equal(verdicts(without, "recorded", "inbound", "late"), 25);
    assert_int_equal(verdicts(without, "simulated", "inbound", "late"), 0);
    assert_int_equal(verdicts(without, "simulated", "inbound", "drained"), 25);
    json_decref(without);

    const struct replay_window window = {"p0", at_minute(60), at_minute(86)};
    request.windows = &window;
    request.window_count = 1;
    json_t *with = run(&request);
    assert_int_equal(number(with, "simulated", "notified"), 0);
    assert_int_equal(verdicts(with, "simulated", "inbound", "excused"), 25);
    assert_int_equal(json_array_size(json_object_get(with, "windows")), 1);
    json_decref(with);
    recording_end(&recording);
}

static void recorded_windows_apply_unless_told_otherwise(void **state)
{
    struct recording recording = {.outage_begin = 60, .outage_end = 85};
    recording_begin(&recording, state);
    const struct window window = {
        .id = "w-1", .revision = 1, .server = "p0", .begin = at_minute(60), .end = at_minute(86)};
    const struct window cancelled = {
        .id = "w-2", .revision = 2, .server = "p0", .begin = at_minute(90), .end = at_minute(90)};
    store_put_window(recording.store, &window);
    store_put_window(recording.store, &cancelled);
    fixture_commit(recording.store);

    struct replay_request request = request_of(&recording);
    json_t *with = run(&request);
    assert_int_equal(number(with, "simulated", "notified"), 0);
    assert_int_equal(json_array_size(json_object_get(with, "windows")), 1);
    json_decref(with);
    request.recorded_windows = false;
    json_t *without = run(&request);
    assert_int_equal(number(without, "simulated", "notified"), 1);
    json_decref(without);
    recording_end(&recording);
}

static void what_bounced_bounces_again(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    const struct bounce bounce = {.action = BOUNCE_FAILED, .status = "5.1.1"};
    for (int minute = 60; minute < 63; minute++) {
        struct probe_record record =
            record_of(&recording, minute, 20000U + (unsigned)minute, OUTBOUND);
        struct submit_outcome outcome = {.result = SUBMIT_ACCEPTED, .code = 250};
        record.state = PROBE_BOUNCED;
        record.verdict = VERDICT_BOUNCED;
        record.arrived = WALLTIME_NONE;
        store_put_probe(recording.store, &record);
        store_put_outcome(recording.store, &record.id, &outcome);
        store_put_bounce(recording.store, &record.id, &bounce, at_minute(minute));
    }
    fixture_commit(recording.store);
    struct replay_request request = request_of(&recording);
    json_t *answer = run(&request);
    assert_int_equal(verdicts(answer, "recorded", "outbound", "bounced"), 3);
    assert_int_equal(verdicts(answer, "simulated", "outbound", "bounced"), 3);
    assert_int_equal(number(answer, "simulated", "notified"), 1);
    json_decref(answer);
    recording_end(&recording);
}

static void other_thresholds_judge_otherwise(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    struct peer_settings strict = recording.settings->peers[0];
    strict.path.latency = (struct latency_settings){SPAN_MS(500), SPAN_MS(900)};
    recording.settings->peers = &strict;
    struct replay_request request = request_of(&recording);
    json_t *answer = run(&request);
    // But for the first, before anything is known of the peer's clock.
    assert_in_range(verdicts(answer, "simulated", "inbound", "late"), MINUTES - 3, MINUTES);
    assert_true(number(answer, "simulated", "notified") >= 1);
    assert_int_equal(number(answer, "recorded", "notified"), 0);
    json_decref(answer);
    recording_end(&recording);
}

static void a_recorded_incident_stands_beside_the_simulated_one(void **state)
{
    struct recording recording = {.outage_begin = 60, .outage_end = 85};
    recording_begin(&recording, state);
    struct replay_request request = request_of(&recording);
    json_t *first = run(&request);
    const json_t *only = json_array_get(json_object_get(first, "incidents"), 0);
    assert_true(json_is_null(json_object_get(only, "recorded")));
    struct incident incident = {.id = 1,
                                .severity = SEVERITY_CRITICAL,
                                .began = at_minute(61),
                                .opened = at_minute(66),
                                .closed = at_minute(87),
                                .notified = true,
                                .notified_at = at_minute(67)};
    assert_true(
        incident_kind_parse(json_string_value(json_object_get(only, "kind")), &incident.kind));
    text_copy(incident.subject_text, sizeof incident.subject_text,
              json_string_value(json_object_get(only, "subject")));
    json_decref(first);

    store_put_incident(recording.store, &incident);
    fixture_commit(recording.store);
    json_t *answer = run(&request);
    const json_t *list = json_object_get(answer, "incidents");
    assert_int_equal(json_array_size(list), 1);
    const json_t *recorded = json_object_get(json_array_get(list, 0), "recorded");
    assert_string_equal(json_string_value(json_object_get(recorded, "severity")), "critical");
    assert_false(json_is_null(json_object_get(json_array_get(list, 0), "simulated")));
    json_decref(answer);

    request.since = at_minute(120);
    json_t *later = run(&request);
    assert_int_equal(json_array_size(json_object_get(later, "incidents")), 0);
    assert_int_equal(verdicts(later, "recorded", "inbound", "on_time"), MINUTES - 120);
    assert_int_equal(verdicts(later, "simulated", "inbound", "on_time"), MINUTES - 120);
    json_decref(later);
    recording_end(&recording);
}

static void an_agent_that_was_away_accuses_nobody(void **state)
{
    struct recording recording = {
        .outage_begin = 60, .outage_end = 100, .away_begin = 60, .away_end = 100};
    recording_begin(&recording, state);
    struct replay_request request = request_of(&recording);
    json_t *answer = run(&request);
    assert_int_equal(number(answer, "simulated", "notified"), 0);
    json_decref(answer);
    recording_end(&recording);
}

static void a_blind_mailbox_is_no_silence(void **state)
{
    struct recording recording = {.outage_begin = 60, .outage_end = 100};
    recording_begin(&recording, state);
    const struct incident blind = {.id = 1,
                                   .kind = INCIDENT_BLIND,
                                   .severity = SEVERITY_CRITICAL,
                                   .subject_text = "local",
                                   .began = at_minute(60),
                                   .opened = at_minute(62),
                                   .closed = at_minute(100),
                                   .notified = true,
                                   .notified_at = at_minute(62)};
    store_put_incident(recording.store, &blind);
    fixture_commit(recording.store);
    struct replay_request request = request_of(&recording);
    json_t *answer = run(&request);
    const json_t *list = json_object_get(answer, "incidents");
    assert_int_equal(json_array_size(list), 1);
    const json_t *pair = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(pair, "kind")), "blind");
    assert_false(json_is_null(json_object_get(pair, "simulated")));
    json_decref(answer);
    recording_end(&recording);
}

// ---- the second story, as mx02 recorded it of p0 (which is mx01) ----

#define CLOCK(hour, minute, second) WALL((hour)*3600 + (minute)*60 + (second))
#define WINDOW_END                  CLOCK(12, 48, 0)
#define RESUMED                     CLOCK(13, 7, 47)

static void put_story_probe(struct store *store, unsigned number, enum direction direction,
                            struct walltime sent, struct walltime arrived)
{
    struct probe_record record = arrived_record(number, direction, sent, arrived);
    record.slot = number;
    record.next = direction == OUTBOUND ? SPAN_ZERO : SPAN_MINUTES(15);
    store_put_probe(store, &record);
}

static void put_story(struct store *store)
{
    for (int quarter = 0; quarter < 32; quarter++) { // from 9:04 and 9:10 on
        struct walltime out = CLOCK(9, 4 + quarter * 15, 0);
        struct walltime in = CLOCK(9, 10 + quarter * 15, 0);
        bool waits = out.ns > CLOCK(12, 18, 0).ns && out.ns < RESUMED.ns;
        bool dead = in.ns > CLOCK(12, 18, 0).ns && in.ns < CLOCK(12, 58, 0).ns;
        put_story_probe(store, 100 + (unsigned)quarter, OUTBOUND, out,
                        waits ? RESUMED : walltime_add(out, SPAN_SECONDS(1)));
        if (!dead) {
            put_story_probe(store, 200 + (unsigned)quarter, INBOUND, in,
                            walltime_add(in, SPAN_SECONDS(1)));
        }
    }
    const struct window window = {.id = "w-1f3a",
                                  .revision = 1,
                                  .server = "p0",
                                  .begin = CLOCK(12, 18, 0),
                                  .end = WINDOW_END};
    store_put_window(store, &window);
}

static void the_story_gives_one_notification(void **state)
{
    struct store *store = fixture_open(*state);
    struct settings *settings = core_settings_of(1);
    struct peer_settings slow = settings->peers[0];
    char ledger[FILE_SIZE];
    snprintf(ledger, sizeof ledger, "%s/ledger.db", (const char *)*state);
    slow.path.interval = SPAN_MINUTES(15);
    settings->peers = &slow;
    put_story(store);
    fixture_commit(store);

    struct replay_request request = {
        .ledger = ledger, .settings = settings, .recorded_windows = true};
    json_t *answer = run(&request);
    const json_t *list = json_object_get(answer, "incidents");
    const json_t *pair = json_array_get(list, 0);
    const json_t *simulated = json_object_get(pair, "simulated");
    assert_int_equal(number(answer, "simulated", "notified"), 1);
    assert_string_equal(json_string_value(json_object_get(pair, "kind")), "overrun");
    assert_false(json_is_null(json_object_get(simulated, "closed")));
    assert_int_equal(verdicts(answer, "simulated", "outbound", "excused"), 2);
    assert_int_equal(verdicts(answer, "simulated", "outbound", "drained"), 2);
    assert_int_equal(verdicts(answer, "simulated", "outbound", "late"), 0);
    json_decref(answer);
    store_close(store);
    arena_destroy(settings->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_quiet_recording_stays_quiet),
        TEST(an_outage_is_notified_and_a_given_window_suppresses_it),
        TEST(recorded_windows_apply_unless_told_otherwise),
        TEST(what_bounced_bounces_again),
        TEST(other_thresholds_judge_otherwise),
        TEST(a_recorded_incident_stands_beside_the_simulated_one),
        TEST(an_agent_that_was_away_accuses_nobody),
        TEST(a_blind_mailbox_is_no_silence),
        TEST(the_story_gives_one_notification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
