// The ledger: what goes in comes out, whatever comes first and after a restart too.
#include "store_fixture.h"

static struct probe_record full_record(void)
{
    return (struct probe_record){
        .id = {{0xFF, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x80, 0xFE}},
        .peer = "mx01",
        .direction = OUTBOUND,
        .kind = PROBE_FRESH,
        .state = PROBE_ARRIVED,
        .verdict = VERDICT_DRAINED,
        .slot = INT64_MAX,
        .planned = {1790000000123456789},
        .sent = {1790000001123456789},
        .accepted = {1790000002123456789},
        .arrived = {1790000003123456789},
        .latency = {-5},
        .latency_error = {6},
        .excused = {7},
        .incident = 8,
        .next = {9},
    };
}

static struct submit_outcome full_outcome(void)
{
    return (struct submit_outcome){
        .code = 250,
        .reply = "250 2.0.0 Ok: it's \"queued\" \x01 \xFF as 4F2A",
        .cause = "none '; DROP TABLE probes; --",
        .queue_id = "4F2A11C0DE",
        .legs = {{-1}, {0}, {1}, {-7}, {INT64_MAX}},
    };
}

static struct collect_report full_report(struct probe_id id)
{
    struct collect_report report = {
        .mailbox = "local",
        .folder = "INBOX/Junk \xC3\xA5",
        .uid_validity = UINT32_MAX,
        .uid = UINT32_MAX - 1,
        .absent = {.wall = {11}},
        .asked = {.wall = {14}},
        .present = {.wall = {12}},
        .saved = {13},
        .stripped = true,
    };
    report.tag.id = id;
    return report;
}

static void assert_full_probe(struct store *store)
{
    struct probe_record record = full_record();
    struct submit_outcome outcome = full_outcome();
    struct collect_report report = full_report(record.id);
    struct store_probe probe;
    assert_true(store_get_probe(store, &record.id, &probe));
    fixture_assert_equal(&probe.record, &record);
    assert_int_equal(probe.code, outcome.code);
    assert_string_equal(probe.reply, outcome.reply);
    assert_string_equal(probe.cause, outcome.cause);
    assert_string_equal(probe.queue_id, outcome.queue_id);
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        bool took_place = outcome.legs[i].ns >= 0;
        assert_true(took_place ? probe.legs[i].ns == outcome.legs[i].ns : probe.legs[i].ns < 0);
    }
    assert_string_equal(probe.mailbox, report.mailbox);
    assert_string_equal(probe.folder, report.folder);
    assert_true(probe.uid_validity == report.uid_validity && probe.uid == report.uid);
    assert_true(probe.stripped);
    assert_true(probe.absent.ns == 11 && probe.asked.ns == 14);
    assert_true(probe.present.ns == 12 && probe.saved.ns == 13);
}

// In every order, in one turn and after a restart.
static void keeps_every_field_of_a_probe(void **state)
{
    static const char *const orders[] = {"pom", "pmo", "opm", "omp", "mpo", "mop"};
    struct probe_record record = full_record();
    struct submit_outcome outcome = full_outcome();
    struct collect_report report = full_report(record.id);
    for (size_t i = 0; i < 6; i++) {
        struct store *store = fixture_open(*state);
        for (const char *what = orders[i]; *what != '\0'; what++) {
            switch (*what) {
            case 'p':
                store_put_probe(store, &record);
                break;
            case 'o':
                store_put_outcome(store, &record.id, &outcome);
                break;
            case 'm':
                store_put_message(store, &record.id, &report);
                break;
            }
        }
        assert_full_probe(store);
        fixture_commit(store);
        assert_int_equal(store_figures(store).entries, 1);
        store_close(store);
        store = fixture_open(*state);
        assert_full_probe(store);
        assert_int_equal(store_figures(store).entries, 1);
        assert_true(store_retain(store, WALL(86400), 1));
        fixture_commit(store);
        assert_int_equal(store_figures(store).entries, 0);
        store_close(store);
    }
}

static void reads_what_was_never_said_as_nothing(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record record = {.id = fixture_id(1), .peer = "mx01", .planned = WALL(0)};
    struct store_probe probe;
    assert_false(store_get_probe(store, &record.id, &probe));
    store_put_probe(store, &record);
    assert_true(store_get_probe(store, &record.id, &probe));
    fixture_assert_equal(&probe.record, &record);
    assert_int_equal(probe.code, 0);
    assert_string_equal(probe.reply, "");
    assert_string_equal(probe.cause, "");
    assert_string_equal(probe.queue_id, "");
    assert_string_equal(probe.mailbox, "");
    assert_string_equal(probe.folder, "");
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        assert_true(probe.legs[i].ns < 0);
    }
    fixture_commit(store);
    store_close(store);
}

static void shows_no_evidence_without_its_probe(void **state)
{
    struct store *store = fixture_open(*state);
    struct submit_outcome outcome = full_outcome();
    struct probe_id id = fixture_id(1);
    struct store_probe probe;
    store_put_outcome(store, &id, &outcome);
    assert_false(store_get_probe(store, &id, &probe));
    fixture_commit(store);
    store_close(store);
}

// The core keeps 24 bytes of a probe in flight: what it says of an arrival lacks what it said
// before.
static void an_update_keeps_what_it_does_not_say(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record record = full_record();
    store_put_probe(store, &record);
    struct probe_record later = {
        .id = record.id,
        .peer = "mx01",
        .state = PROBE_LOST,
        .verdict = VERDICT_LOST,
    };
    store_put_probe(store, &later);
    struct probe_record want = record;
    want.state = PROBE_LOST;
    want.verdict = VERDICT_LOST;
    struct store_probe probe;
    assert_true(store_get_probe(store, &record.id, &probe));
    fixture_assert_equal(&probe.record, &want);
    assert_int_equal(probe.record.kind, PROBE_FRESH);
    fixture_commit(store);
    store_close(store);
}

static void tells_a_message_from_its_duplicate(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record record = fixture_outbound(1, "gmail", 0);
    struct collect_report report = full_report(record.id), other = report;
    assert_int_equal(store_find_arrival(store, &report), STORE_ARRIVAL_NEW);
    store_put_probe(store, &record);
    assert_int_equal(store_find_arrival(store, &report), STORE_ARRIVAL_NEW);

    record.state = PROBE_ARRIVED;
    record.verdict = VERDICT_ON_TIME;
    record.arrived = WALL(1);
    store_put_probe(store, &record);
    store_put_message(store, &record.id, &report);
    assert_int_equal(store_find_arrival(store, &report), STORE_ARRIVAL_SAME);
    other.uid--;
    assert_int_equal(store_find_arrival(store, &other), STORE_ARRIVAL_DUPLICATE);
    other = report;
    other.uid_validity--;
    assert_int_equal(store_find_arrival(store, &other), STORE_ARRIVAL_DUPLICATE);
    other = report;
    strcpy(other.folder, "INBOX");
    assert_int_equal(store_find_arrival(store, &other), STORE_ARRIVAL_DUPLICATE);
    other = report;
    strcpy(other.mailbox, "remote");
    assert_int_equal(store_find_arrival(store, &other), STORE_ARRIVAL_DUPLICATE);

    fixture_commit(store);
    store_close(store);
    store = fixture_open(*state);
    assert_int_equal(store_find_arrival(store, &report), STORE_ARRIVAL_SAME);
    store_close(store);
}

static void assert_transcript(struct store *store, unsigned number, const char *expected)
{
    char lines[TRANSCRIPT_SIZE];
    struct probe_id id = fixture_id(number);
    store_get_transcript(store, &id, lines);
    assert_string_equal(lines, expected);
}

static void put_refused(struct store *store, unsigned number, const char *transcript)
{
    struct probe_record record = {.id = fixture_id(number),
                                  .peer = "mx01",
                                  .direction = OUTBOUND,
                                  .state = PROBE_REFUSED,
                                  .planned = WALL(number)};
    struct submit_outcome outcome = {.result = SUBMIT_REFUSED, .code = 550};
    strcpy(outcome.transcript, transcript);
    store_put_probe(store, &record);
    store_put_outcome(store, &record.id, &outcome);
}

static void a_transcript_goes_with_its_probe(void **state)
{
    struct store *store = fixture_open(*state);
    put_refused(store, 1, "1 server 550 it's \\\"no\\\"\n");
    put_refused(store, 2, "2 server 554 no\n");
    put_refused(store, 3, "");
    fixture_commit(store);
    store_close(store);
    store = fixture_open(*state);
    assert_transcript(store, 1, "1 server 550 it's \\\"no\\\"\n");
    assert_transcript(store, 2, "2 server 554 no\n");
    assert_transcript(store, 3, "");
    assert_transcript(store, 4, "");
    assert_false(store_retain(store, WALL(2), 9));
    fixture_commit(store);
    assert_transcript(store, 1, "");
    assert_transcript(store, 2, "2 server 554 no\n");
    store_close(store);
}

static void only_so_many_transcripts_stay(void **state)
{
    struct store *store = fixture_open(*state);
    for (unsigned i = 1; i <= STORE_TRANSCRIPTS_MAXIMUM + 2; i++) {
        put_refused(store, i, "1 server 550 no\n");
    }
    put_refused(store, 3, "2 server 550 no\n"); // the newest now
    fixture_commit(store);
    assert_transcript(store, 1, "");
    assert_transcript(store, 2, "");
    assert_transcript(store, 3, "2 server 550 no\n");
    assert_transcript(store, 5, "1 server 550 no\n");
    assert_transcript(store, STORE_TRANSCRIPTS_MAXIMUM + 2, "1 server 550 no\n");
    store_close(store);
}

static void keeps_what_servers_reported(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record record = full_record();
    struct bounce failed = {BOUNCE_FAILED,        "5.1.1",
                            "mx01.example",       "550 '; DROP TABLE bounces",
                            "probe@mx01.example", ""};
    struct bounce delayed = {BOUNCE_DELAYED, "4.4.1", "", "refused \xC3\xA5", "", ""};
    struct store_bounce found;
    store_put_bounce(store, &record.id, &delayed, WALL(-30));
    store_put_bounce(store, &record.id, &delayed, WALL(-20));
    store_put_bounce(store, &record.id, &failed, WALL(-10));
    store_put_probe(store, &record);
    fixture_commit(store);
    store_close(store);
    store = fixture_open(*state);
    assert_true(store_get_bounce(store, &record.id, BOUNCE_DELAYED, &found));
    assert_memory_equal(&found.bounce, &delayed, sizeof delayed);
    assert_int_equal(found.reported.ns, WALL(-20).ns);
    assert_true(store_get_bounce(store, &record.id, BOUNCE_FAILED, &found));
    assert_memory_equal(&found.bounce, &failed, sizeof failed);
    assert_false(store_get_bounce(store, &record.id, BOUNCE_OTHER, &found));

    store_retain(store, WALL(-1), 1000); // the probe is younger
    assert_true(store_get_bounce(store, &record.id, BOUNCE_FAILED, &found));
    store_retain(store, WALL(9), 1000); // now it goes, and they with it
    fixture_commit(store);
    assert_false(store_get_bounce(store, &record.id, BOUNCE_FAILED, &found));
    store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(keeps_every_field_of_a_probe),        TEST(reads_what_was_never_said_as_nothing),
        TEST(shows_no_evidence_without_its_probe), TEST(an_update_keeps_what_it_does_not_say),
        TEST(tells_a_message_from_its_duplicate),  TEST(a_transcript_goes_with_its_probe),
        TEST(only_so_many_transcripts_stay),       TEST(keeps_what_servers_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
