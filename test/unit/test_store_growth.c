// By how much the ledger grows with every probe, and that what is old makes room for what is new.
#include "store_fixture.h"

#include <jansson.h>
#include <sqlite3.h>

enum { PROBES = 3000 };

// As OPERATING has it: config/OPERATING.md, "Room on the disk".
enum { BYTES_OF_A_PROBE = 300, BYTES_OF_A_WAY = 130, BYTES_OF_A_STRANGE_WAY = 900 };

static const char *const HOSTS[] = {"mx02.example.com", "relay.example.net", "mx01.example.org"};

// Three hops with TLS and what the last server found: what a message between two sites carries.
static char *way_of(unsigned number, bool strange)
{
    struct trace trace = {.count = 3};
    for (unsigned i = 0; i < trace.count; i++) {
        struct hop *hop = &trace.hops[i];
        snprintf(hop->from, sizeof hop->from, "%s", i == 0 ? "localhost" : HOSTS[i - 1]);
        snprintf(hop->seen, sizeof hop->seen, "192.0.2.%u", strange ? number % 250 : i);
        snprintf(hop->by, sizeof hop->by, "%s", HOSTS[i]);
        snprintf(hop->protocol, sizeof hop->protocol, "ESMTPS");
        snprintf(hop->tls, sizeof hop->tls, "TLSv1.3 TLS_AES_256_GCM_SHA384");
        snprintf(hop->queue_id, sizeof hop->queue_id, "4Zx9kQ%u%07u", i, number);
        hop->time = WALL(number + i);
    }
    if (strange) { // a host by the number of the message
        snprintf(trace.hops[1].from, sizeof trace.hops[1].from, "out-%u.example.net", number);
    }
    struct authentication *found = &trace.authentication;
    text_copy(found->authserv_id, sizeof found->authserv_id, HOSTS[2]);
    for (int method = 0; method < AUTH_METHODS; method++) {
        found->results[method] = AUTH_PASS;
        text_copy(found->reasons[method], AUTH_REASON_SIZE, "domain of example.com designates it");
    }
    json_t *object = trace_to_json(&trace);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

enum kind { PLAIN, WITH_WAY, WITH_STRANGE_WAY };

// Where it lies and how it was seen to come.
static void put_message(struct store *store, const struct probe_record *record, unsigned number)
{
    struct collect_report report = {
        .folder = "INBOX",
        .uid_validity = 1790000000,
        .uid = number,
        .absent = {.wall = record->sent},
        .present = {.wall = record->arrived},
        .saved = record->arrived,
    };
    text_copy(report.mailbox, sizeof report.mailbox, "local");
    store_put_message(store, &record->id, &report);
}

static void fill(struct store *store, unsigned first, enum kind kind)
{
    for (unsigned i = first; i < first + PROBES; i++) {
        struct probe_record record = fixture_inbound(i, "mx01", i);
        store_put_probe(store, &record);
        put_message(store, &record, i);
        if (kind != PLAIN) {
            char *text = way_of(i, kind == WITH_STRANGE_WAY);
            store_put_trace(store, &record.id, text, false);
            free(text);
        }
    }
    fixture_commit(store);
}

static int64_t file_size(const char *directory)
{
    return fixture_file_size(fixture_file_in(directory, "ledger.db"));
}

// Bytes of a probe more than `before`, with all that is written of it.
static int64_t measure(void **state, enum kind kind)
{
    store_close(fixture_open(*state));
    int64_t before = file_size(*state);
    struct store *store = fixture_open(*state);
    fill(store, 1, kind);
    store_close(store);
    int64_t bytes = (file_size(*state) - before) / PROBES;
    print_message("%d bytes a probe\n", (int)bytes);
    return bytes;
}

static void a_probe_takes_little(void **state)
{
    assert_in_range(measure(state, PLAIN), 100, BYTES_OF_A_PROBE);
}

static void a_way_like_the_one_before_takes_less(void **state)
{
    assert_in_range(measure(state, WITH_WAY), 100, BYTES_OF_A_PROBE + BYTES_OF_A_WAY);
}

static void a_way_of_its_own_is_bounded(void **state)
{
    assert_in_range(measure(state, WITH_STRANGE_WAY), 100,
                    BYTES_OF_A_PROBE + BYTES_OF_A_STRANGE_WAY);
}

// Ten times as many as are kept: the room of those that are gone is used again.
static void what_is_old_makes_room(void **state)
{
    struct store *store = fixture_open(*state);
    fill(store, 1, WITH_STRANGE_WAY);
    store_close(store);
    int64_t once = file_size(*state);
    store = fixture_open(*state);
    for (unsigned i = 1; i < 10; i++) {
        while (store_retain(store, WALL(i * PROBES + 1), 1000)) {
            fixture_commit(store);
        }
        fixture_commit(store);
        fill(store, i * PROBES + 1, WITH_STRANGE_WAY);
    }
    assert_in_range(store_figures(store).entries, PROBES, PROBES + 2);
    store_close(store);
    assert_in_range(file_size(*state), once / 2, once * 5 / 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_probe_takes_little), TEST(a_way_like_the_one_before_takes_less),
        TEST(a_way_of_its_own_is_bounded), TEST(what_is_old_makes_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
