// Lists of probes from the ledger: filters, order, and pages that hold still.
#include "store_fixture.h"

enum { LISTED_MAXIMUM = 64 };

struct page {
    unsigned numbers[LISTED_MAXIMUM];
    size_t count;
    size_t stop_after;
    int64_t cursor;
};

static bool see_listed_probe(void *context, const struct store_probe *probe)
{
    struct page *page = context;
    memcpy(&page->numbers[page->count++], probe->record.id.bytes, sizeof page->numbers[0]);
    page->cursor = probe->cursor;
    return page->count != page->stop_after;
}

static struct page list(struct store *store, struct store_query query)
{
    struct page page = {0};
    struct error error = {0};
    bool done = store_query_probes(store, &query, see_listed_probe, &page, &error);
    assert_string_equal(error.message, "");
    assert_true(done);
    return page;
}

static void assert_page(const struct page *page, size_t count, const unsigned *numbers)
{
    assert_int_equal(page->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(page->numbers[i], numbers[i]);
    }
}

#define ASSERT_LIST(query_, ...)                                                                   \
    do {                                                                                           \
        struct page page_ = list(store, query_);                                                   \
        const unsigned numbers_[] = {__VA_ARGS__};                                                 \
        assert_page(&page_, sizeof numbers_ / sizeof numbers_[0], numbers_);                       \
    } while (0)

// 1 and 3: inbound from mx01; 2: outbound to mx01, in flight; 4: inbound from mx03, late, sent
// long before it arrived; 5: outbound to mx03, lost.
static struct store *open_with_five_probes(const char *directory)
{
    struct store *store = fixture_open(directory);
    struct probe_record records[] = {
        fixture_inbound(1, "mx01", 100),  fixture_outbound(2, "mx01", 200),
        fixture_inbound(3, "mx01", 300),  fixture_inbound(4, "mx03", 50),
        fixture_outbound(5, "mx03", 500),
    };
    records[3].arrived = WALL(400);
    records[3].verdict = VERDICT_LATE;
    records[4].state = PROBE_LOST;
    records[4].verdict = VERDICT_LOST;
    for (size_t i = 0; i < 5; i++) {
        store_put_probe(store, &records[i]);
    }
    fixture_commit(store);
    return store;
}

static void lists_by_peer_direction_verdict_and_time(void **state)
{
    struct store *store = open_with_five_probes(*state);
    struct store_query all = {.direction = -1, .verdict = -1, .limit = 10}, query = all;
    ASSERT_LIST(all, 5, 4, 3, 2, 1);
    query.limit = 2;
    ASSERT_LIST(query, 5, 4);
    query = all;
    query.direction = OUTBOUND;
    ASSERT_LIST(query, 5, 2);
    query.peer = "mx03";
    ASSERT_LIST(query, 5);
    query.direction = -1;
    ASSERT_LIST(query, 5, 4);
    query.peer = "mx01";
    query.verdict = VERDICT_ON_TIME;
    ASSERT_LIST(query, 3, 1);
    query.peer = NULL;
    ASSERT_LIST(query, 3, 1);
    query.verdict = VERDICT_LATE;
    ASSERT_LIST(query, 4);
    query.verdict = VERDICT_OPEN;
    ASSERT_LIST(query, 2);
    query.direction = INBOUND;
    assert_int_equal(list(store, query).count, 0);
    query = all;
    query.since = WALL(200);
    ASSERT_LIST(query, 5, 3, 2);
    query.peer = "mx03";
    query.since = WALL(51);
    ASSERT_LIST(query, 5);
    query.peer = "mx0";
    assert_int_equal(list(store, query).count, 0);
    store_close(store);
}

static void since_goes_by_what_the_sender_says(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record ahead = fixture_inbound(1, "mx01", 500); // its clock is
    ahead.arrived = WALL(100);
    struct probe_record waited = fixture_outbound(2, "mx01", 500); // for a free submitter
    waited.planned = WALL(200);
    struct probe_record unsent = fixture_outbound(3, "mx01", 300);
    unsent.sent = WALLTIME_NONE;
    store_put_probe(store, &ahead);
    store_put_probe(store, &waited);
    store_put_probe(store, &unsent);
    struct store_query query = {.direction = -1, .verdict = -1, .limit = 10, .since = WALL(500)};
    ASSERT_LIST(query, 2, 1);
    query.since = WALL(300);
    ASSERT_LIST(query, 3, 2, 1);
    fixture_commit(store);
    store_close(store);
}

static void pages_hold_still_while_probes_come_and_change(void **state)
{
    struct store *store = open_with_five_probes(*state);
    struct store_query query = {.direction = -1, .verdict = -1, .limit = 2};
    struct page page = list(store, query);
    assert_page(&page, 2, (unsigned[]){5, 4});

    struct probe_record fresh = fixture_inbound(6, "mx01", 600);
    store_put_probe(store, &fresh);
    struct probe_record arrived = fixture_outbound(2, "mx01", 200);
    arrived.state = PROBE_ARRIVED;
    arrived.verdict = VERDICT_LATE;
    arrived.arrived = WALL(610);
    store_put_probe(store, &arrived);

    query.before = page.cursor;
    page = list(store, query);
    assert_page(&page, 2, (unsigned[]){3, 2});
    query.before = page.cursor;
    page = list(store, query);
    assert_page(&page, 1, (unsigned[]){1});
    query.before = page.cursor;
    assert_int_equal(list(store, query).count, 0);
    query.before = 4711;
    assert_int_equal(list(store, query).count, 0);
    fixture_commit(store);
    store_close(store);
}

static void pages_divide_probes_of_one_instant(void **state)
{
    struct store *store = fixture_open(*state);
    for (unsigned i = 1; i <= 9; i++) {
        struct probe_record record = fixture_inbound(i, "mx01", 0);
        record.verdict = i % 2 == 0 ? VERDICT_LATE : VERDICT_ON_TIME;
        store_put_probe(store, &record);
    }
    const char *const peers[] = {NULL, "mx01"};
    for (size_t k = 0; k < 2; k++) {
        struct store_query query = {.peer = peers[k], .direction = -1, .verdict = -1, .limit = 2};
        for (unsigned next = 9; next > 1; next -= 2) {
            struct page page = list(store, query);
            assert_page(&page, 2, (unsigned[]){next, next - 1});
            query.before = page.cursor;
        }
        ASSERT_LIST(query, 1);
    }
    fixture_commit(store);
    store_close(store);
}

static void a_list_ends_when_its_reader_has_enough(void **state)
{
    struct store *store = open_with_five_probes(*state);
    struct store_query query = {.direction = -1, .verdict = -1, .limit = 10};
    struct page page = {.stop_after = 3};
    struct error error;
    assert_true(store_query_probes(store, &query, see_listed_probe, &page, &error));
    assert_page(&page, 3, (unsigned[]){5, 4, 3});
    store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(lists_by_peer_direction_verdict_and_time),
        TEST(since_goes_by_what_the_sender_says),
        TEST(pages_hold_still_while_probes_come_and_change),
        TEST(pages_divide_probes_of_one_instant),
        TEST(a_list_ends_when_its_reader_has_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
