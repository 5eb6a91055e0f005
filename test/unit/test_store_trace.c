// The ways of probes in the ledger: kept with their probe, gone with it.
#include "store_fixture.h"

#include <jansson.h>
#include <sqlite3.h>

static void put(struct store *store, unsigned number, const char *trace, bool rerouted)
{
    struct probe_record record = {
        .id = fixture_id(number),
        .peer = "mx01",
        .direction = INBOUND,
        .kind = PROBE_SLOT,
        .state = PROBE_ARRIVED,
        .verdict = VERDICT_ON_TIME,
        .sent = WALL(number),
        .arrived = WALL(number),
    };
    store_put_probe(store, &record);
    store_put_trace(store, &record.id, trace, rerouted);
}

static char *way_of(const char *by)
{
    struct trace trace = {.count = 1, .more = 3, .cut = true};
    text_copy(trace.hops[0].by, sizeof trace.hops[0].by, by);
    trace.hops[0].time = WALL(7);
    text_copy(trace.hops[0].queue_id, sizeof trace.hops[0].queue_id, "4Zx9kQ");
    text_copy(trace.authentication.authserv_id, AUTHSERV_ID_SIZE, "mx02");
    trace.authentication.results[AUTH_SPF] = AUTH_SOFTFAIL;
    json_t *object = trace_to_json(&trace);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

static void keeps_a_way(void **state)
{
    struct store *store = fixture_open(*state);
    struct trace trace;
    struct probe_id id = fixture_id(1), stranger = fixture_id(9);
    bool rerouted;
    char *text = way_of("mx03"), *other = way_of("mx04");
    put(store, 1, text, false);
    put(store, 1, other, true);
    fixture_commit(store);
    store_close(store);
    store = fixture_open(*state);
    assert_true(store_get_trace(store, &id, &trace, &rerouted));
    assert_true(rerouted);
    assert_int_equal(trace.count, 1);
    assert_int_equal(trace.more, 3);
    assert_true(trace.cut);
    assert_string_equal(trace.hops[0].by, "mx04");
    assert_string_equal(trace.hops[0].queue_id, "4Zx9kQ");
    assert_int_equal(trace.hops[0].time.ns, WALL(7).ns);
    assert_int_equal(trace.authentication.results[AUTH_SPF], AUTH_SOFTFAIL);
    assert_false(store_get_trace(store, &stranger, &trace, &rerouted));
    assert_false(rerouted);
    assert_int_equal(trace.count, 0);
    store_put_trace(store, &stranger, text, false); // of a probe that nobody knows
    fixture_commit(store);
    assert_false(store_get_trace(store, &stranger, &trace, &rerouted));
    store_close(store);
    free(text);
    free(other);
}

static int64_t count(const char *directory, const char *table)
{
    char sql[64];
    char file[FILE_SIZE];
    sqlite3 *database;
    sqlite3_stmt *statement;
    snprintf(file, sizeof file, "%s/ledger.db", directory);
    assert_int_equal(sqlite3_open(file, &database), SQLITE_OK);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    assert_int_equal(sqlite3_prepare_v2(database, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t rows = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return rows;
}

// What they share is kept once, as long as one of them is there.
static void goes_with_its_probe(void **state)
{
    struct store *store = fixture_open(*state);
    char *text = way_of("mx03"), *other = way_of("mx04");
    for (unsigned i = 1; i <= 10; i++) {
        put(store, i, i < 5 ? other : text, false);
    }
    fixture_commit(store);
    assert_int_equal(count(*state, "traces"), 10);
    assert_int_equal(count(*state, "courses"), 2);
    assert_false(store_retain(store, WALL(5), 1000));
    fixture_commit(store);
    assert_int_equal(store_figures(store).entries, 6);
    assert_int_equal(count(*state, "traces"), 6);
    assert_int_equal(count(*state, "courses"), 1);
    for (unsigned i = 5; i <= 10; i++) {
        put(store, i, other, false);
    }
    fixture_commit(store);
    assert_int_equal(count(*state, "courses"), 1);
    assert_false(store_retain(store, WALL(20), 1000));
    fixture_commit(store);
    assert_int_equal(count(*state, "traces"), 0);
    assert_int_equal(count(*state, "courses"), 0);
    store_close(store);
    free(text);
    free(other);
}

// As written before ways were parted: whole.
static void reads_a_whole_way(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_id id = fixture_id(1);
    struct trace trace;
    bool rerouted;
    char *text = way_of("mx03"), file[FILE_SIZE];
    sqlite3 *database;
    put(store, 1, text, false);
    fixture_commit(store);
    store_close(store);
    snprintf(file, sizeof file, "%s/ledger.db", (const char *)*state);
    assert_int_equal(sqlite3_open(file, &database), SQLITE_OK);
    char *sql = sqlite3_mprintf("UPDATE traces SET course = NULL, trace = %Q", text);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_free(sql);
    sqlite3_close(database);
    store = fixture_open(*state);
    assert_true(store_get_trace(store, &id, &trace, &rerouted));
    assert_string_equal(trace.hops[0].by, "mx03");
    assert_string_equal(trace.hops[0].queue_id, "4Zx9kQ");
    assert_int_equal(trace.hops[0].time.ns, WALL(7).ns);
    store_close(store);
    free(text);
}

static void see_habits(void *context, const char *peer, enum direction direction,
                       const struct habits *habits)
{
    assert_string_equal(peer, "mx01");
    assert_int_equal(direction, INBOUND);
    *(struct habits *)context = *habits;
}

static void keeps_what_a_path_is_used_to(void **state)
{
    struct habits habits = {
        .route = {.known = {.of = {"a b", "a c b"}, .count = 2},
                  .fresh = {.of = {"x"}, .count = 1},
                  .learned = 10,
                  .strange = 2,
                  .usual = 1,
                  .expected = 3},
        .auth = {.last = {AUTH_PASS, AUTH_SOFTFAIL, AUTH_ABSENT, AUTH_NONE},
                 .passed = 5,
                 .failing = 1,
                 .passes = {1, 0, 2},
                 .unsure = {0, 2, 1}},
        .placement = {.recent = 0x15, .windows = 6, .count = 5},
    };
    struct habits seen = {0};
    struct error error = {0};
    struct store_restore visitors = {.context = &seen, .habits = see_habits};
    struct store *store = fixture_open(*state);
    store_put_habits(store, "mx01", INBOUND, &(struct habits){.route = {.learned = 1}});
    store_put_habits(store, "mx01", INBOUND, &habits);
    fixture_commit(store);
    store_close(store);
    store = fixture_open(*state);
    assert_true(store_restore_peer(store, &visitors, "mx02", &error));
    assert_int_equal(seen.route.learned, 0);
    assert_true(store_restore_peer(store, &visitors, "mx01", &error));
    assert_memory_equal(&seen, &habits, sizeof seen);
    store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {TEST(keeps_a_way), TEST(goes_with_its_probe),
                                       TEST(reads_a_whole_way), TEST(keeps_what_a_path_is_used_to)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
