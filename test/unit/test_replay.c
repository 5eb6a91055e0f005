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

static struct walltime at_minute(int minute)
{
    return WALL(minute * 60);
}

// When a probe of this minute arrives.
static struct walltime arrival_of(const struct recording *recording, int minute)
{
    bool waits = minute >= recording->outage_begin && minute < recording->outage_end;
    return walltime_add(at_minute(waits ? recording->outage_end : minute), SPAN_SECONDS(1));
}

static struct probe_record record_of(const struct recording *recording, int minute, unsigned number,
                                     enum direction direction)
{
    struct walltime arrived = arrival_of(recording, minute);
    struct probe_record record = {
        .id = fixture_id(number),
        .peer = "p0",
        .direction = direction,
        .state = PROBE_ARRIVED,
        .verdict = VERDICT_ON_TIME,
        .slot = SLOT_FIRST + minute,
        .planned = direction == OUTBOUND ? at_minute(minute) : WALLTIME_NONE,
        .sent = at_minute(minute),
        .accepted = direction == OUTBOUND ? at_minute(minute) : WALLTIME_NONE,
        .arrived = arrived,
        .latency = walltime_since(arrived, at_minute(minute)),
        .next = direction == INBOUND ? SPAN_SECONDS(60) : SPAN_ZERO,
    };
    if (record.latency.ns > SPAN_SECONDS(60).ns) {
        record.verdict = VERDICT_LATE;
    }
    return record;
}

static void put_inbound(const struct recording *recording, int minute)
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

static void put_outbound(const struct recording *recording, int minute)
{
    struct probe_record record = record_of(recording, minute, (unsigned)minute, OUTBOUND);
    struct submit_outcome outcome = {.result = SUBMIT_ACCEPTED, .code = 250};
    record.slot += minute >= recording->away_end && recording->away_end > 0 ? 100 : 0;
    store_put_probe(recording->store, &record);
    store_put_outcome(recording->store, &record.id, &outcome);
}

static void recording_begin(struct recording *recording, void **state)
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

static void recording_end(struct recording *recording)
{
    store_close(recording->store);
    arena_destroy(recording->settings->arena);
}

static struct replay_request request_of(const struct recording *recording)
{
    return (struct replay_request){
        .ledger = recording->ledger, .settings = recording->settings, .recorded_windows = true};
}

static json_t *run(const struct replay_request *request)
{
    struct error error = {0};
    json_t *answer = replay_run(request, &error);
    assert_string_equal(error.message, "");
    assert_non_null(answer);
    return answer;
}

static json_int_t number(const json_t *answer, const char *side, const char *member)
{
    return json_integer_value(json_object_get(json_object_get(answer, side), member));
}

static json_int_t verdicts(const json_t *answer, const char *side, const char *direction,
                           const char *verdict)
{
    const json_t *all = json_object_get(json_object_get(answer, side), "verdicts");
    return json_integer_value(json_object_get(json_object_get(all, direction), verdict));
}

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
    bool outbound = direction == OUTBOUND;
    struct probe_record record = {
        .id = fixture_id(number),
        .peer = "p0",
        .direction = direction,
        .state = PROBE_ARRIVED,
        .verdict = VERDICT_ON_TIME,
        .slot = number,
        .planned = outbound ? sent : WALLTIME_NONE,
        .sent = sent,
        .accepted = outbound ? sent : WALLTIME_NONE,
        .arrived = arrived,
        .latency = walltime_since(arrived, sent),
        .next = outbound ? SPAN_ZERO : SPAN_MINUTES(15),
    };
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

static bool exists_beside(const struct recording *recording, const char *suffix)
{
    char path[FILE_SIZE + 8];
    struct stat status;
    snprintf(path, sizeof path, "%s%s", recording->ledger, suffix);
    return stat(path, &status) == 0;
}

static void nothing_is_written_in_or_beside_the_ledger(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    struct replay_request request = request_of(&recording);
    json_decref(run(&request)); // an agent has it open, and may go on writing
    put_inbound(&recording, MINUTES);
    fixture_commit(recording.store);
    store_close(recording.store);

    struct stat before, after;
    assert_int_equal(stat(recording.ledger, &before), 0);
    assert_false(exists_beside(&recording, "-wal"));
    json_decref(run(&request));
    assert_int_equal(stat(recording.ledger, &after), 0);
    assert_false(exists_beside(&recording, "-wal"));
    assert_false(exists_beside(&recording, "-shm"));
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    recording.store = fixture_open(recording.directory);
    recording_end(&recording);
}

static void copy_beside(const struct recording *recording, const char *copy, const char *suffix)
{
    char command[4 * FILE_SIZE];
    snprintf(command, sizeof command, "cp %s%s %s%s", recording->ledger, suffix, copy, suffix);
    assert_int_equal(system(command), 0);
}

// A ledger, its log and the log's index as kill -9 leaves them; and copied without the index.
static void what_a_crash_left_in_the_log_is_read(void **state)
{
    static const char *const INDICES[] = {"-shm", ""};
    struct recording recording = {0};
    recording_begin(&recording, state);
    for (int i = 0; i < 2; i++) {
        char copy[FILE_SIZE];
        snprintf(copy, sizeof copy, "%s/copy%d.db", recording.directory, i);
        copy_beside(&recording, copy, "");
        copy_beside(&recording, copy, "-wal");
        copy_beside(&recording, copy, INDICES[i]);
        struct replay_request request = request_of(&recording);
        request.ledger = copy;
        json_t *answer = run(&request);
        assert_int_equal(json_integer_value(json_object_get(answer, "probes")), 2 * MINUTES);
        json_decref(answer);
    }
    recording_end(&recording);
}

static void expect_refusal(const struct replay_request *request, const char *words)
{
    struct error error = {0};
    assert_null(replay_run(request, &error));
    if (strstr(error.message, words) == NULL) {
        fail_msg("\"%s\" does not say: %s", error.message, words);
    }
}

static void what_is_no_ledger_is_refused(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    struct replay_request request = request_of(&recording);
    char path[FILE_SIZE];
    snprintf(path, sizeof path, "%s/none.db", recording.directory);
    request.ledger = path;
    expect_refusal(&request, "No such file");
    FILE *file = fopen(path, "w");
    fputs("This is a text, and no ledger, however long it may be.\n", file);
    fclose(file);
    expect_refusal(&request, "not a ledger of mailflow");
    assert_int_equal(truncate(path, 0), 0);
    expect_refusal(&request, "not a ledger of mailflow");
    request.ledger = recording.directory;
    expect_refusal(&request, "is not a file");
    recording_end(&recording);
}

static void peers_that_are_not_configured_are_counted(void **state)
{
    struct recording recording = {0};
    recording_begin(&recording, state);
    struct settings *others = core_settings_of(0);
    struct replay_request request = request_of(&recording);
    request.settings = others;
    expect_refusal(&request, "no probes of the peers in this configuration");
    arena_destroy(others->arena);
    recording_end(&recording);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

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
        TEST(nothing_is_written_in_or_beside_the_ledger),
        TEST(what_a_crash_left_in_the_log_is_read),
        TEST(what_is_no_ledger_is_refused),
        TEST(peers_that_are_not_configured_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
