// Damaged ledgers: kept aside as they are, and a fresh one begun.
#include "store_fixture.h"

static void write_some(const char *directory)
{
    struct store *store = fixture_open(directory);
    fixture_put_probes(store, 0, 500);
    fixture_commit(store);
    store_close(store);
}

// Opens a ledger that is past reading: it must be kept under the name given, and work anew.
static void assert_begins_anew(const char *directory, const char *name)
{
    char kept[FILE_SIZE];
    struct error error = {0};
    struct store *store = store_open(directory, fixture_now(), kept, sizeof kept, &error);
    assert_string_equal(error.message, "");
    assert_string_equal(kept, fixture_file_in(directory, name));
    assert_int_equal(store_figures(store).entries, 0);
    fixture_put_probes(store, 7, 1);
    fixture_commit(store);
    store_close(store);
    store = fixture_open(directory);
    assert_true(fixture_has_probe(store, 7));
    store_close(store);
}

#define KEPT  "ledger.db.corrupt-20260921T141320Z"
#define KEPT2 "ledger.db.corrupt-20260921T141321Z"

static void assert_kept_aside(const char *directory)
{
    struct fixture_content content = fixture_file_read(fixture_file_in(directory, "ledger.db"));
    assert_begins_anew(directory, KEPT);
    fixture_assert_same_content(fixture_file_in(directory, KEPT), content);
    free(content.bytes);
}

static void a_ledger_without_its_header_is_kept_aside(void **state)
{
    write_some(*state);
    fixture_file_patch(fixture_file_in(*state, "ledger.db"), 0, "no database", 11);
    assert_kept_aside(*state);
}

static void a_ledger_of_garbage_is_kept_aside(void **state)
{
    FILE *file = fopen(fixture_file_in(*state, "ledger.db"), "wb");
    for (unsigned i = 0; i < 100000; i++) {
        fputc((int)(i * 2654435761u >> 13) & 0xFF, file);
    }
    fclose(file);
    assert_kept_aside(*state);
}

static void a_ledger_damaged_in_the_middle_is_kept_aside(void **state)
{
    static unsigned char damage[3 * 4096];
    memset(damage, 0xA5, sizeof damage);
    write_some(*state);
    off_t middle = fixture_file_size(fixture_file_in(*state, "ledger.db")) / 2 / 4096 * 4096;
    fixture_file_patch(fixture_file_in(*state, "ledger.db"), middle, damage, sizeof damage);
    assert_kept_aside(*state);
}

static void damage_at_any_page_is_kept_aside(void **state)
{
    static unsigned char damage[4096];
    char ledger[FILE_SIZE];
    memset(damage, 0xA5, sizeof damage);
    write_some(*state);
    text_copy(ledger, sizeof ledger, fixture_file_in(*state, "ledger.db"));
    struct fixture_content sound = fixture_file_read(ledger);
    off_t pages = (off_t)sound.size / (off_t)sizeof damage;
    assert_true(pages > 20);
    for (off_t page = 0; page < pages; page++) {
        fixture_file_patch(ledger, page * (off_t)sizeof damage, damage, sizeof damage);
        assert_kept_aside(*state);
        assert_int_equal(rename(fixture_file_in(*state, KEPT), ledger), 0);
        fixture_file_patch(ledger, 0, sound.bytes, sound.size);
    }
    free(sound.bytes);
}

static void a_ledger_cut_short_is_kept_aside(void **state)
{
    write_some(*state);
    const char *ledger = fixture_file_in(*state, "ledger.db");
    assert_int_equal(truncate(ledger, fixture_file_size(ledger) / 2), 0);
    assert_kept_aside(*state);
}

static void a_foreign_database_is_kept_aside(void **state)
{
    write_some(*state);
    fixture_file_patch(fixture_file_in(*state, "ledger.db"), 68, "\0\0\0\1",
                       4); // its application id
    assert_kept_aside(*state);
}

static void a_ledger_that_lacks_an_index_is_kept_aside(void **state)
{
    static const char name[] = "probes_by_verdict";
    write_some(*state);
    const char *ledger = fixture_file_in(*state, "ledger.db");
    struct fixture_content content = fixture_file_read(ledger);
    unsigned patched = 0;
    for (size_t i = 0; i + sizeof name < content.size; i++) {
        if (memcmp(content.bytes + i, name, sizeof name - 1) == 0) {
            fixture_file_patch(ledger, (off_t)i, "PROBES_by_nothing", sizeof name - 1);
            patched++;
        }
    }
    assert_true(patched >= 2); // its name and its definition, and copies left where they stood
    free(content.bytes);
    assert_kept_aside(*state);
}

static void a_ledger_kept_earlier_stays(void **state)
{
    write_some(*state);
    fixture_file_patch(fixture_file_in(*state, "ledger.db"), 0, "first", 5);
    assert_kept_aside(*state);
    struct fixture_content first = fixture_file_read(fixture_file_in(*state, KEPT));
    fixture_file_patch(fixture_file_in(*state, "ledger.db"), 0, "second", 6);
    assert_begins_anew(*state, KEPT2);
    fixture_assert_same_content(fixture_file_in(*state, KEPT), first);
    free(first.bytes);
}

static void write_and_checkpoint_half(const char *directory)
{
    struct error error;
    struct store *store = fixture_open(directory);
    fixture_put_probes(store, 0, 500);
    fixture_commit(store);
    assert_true(store_checkpoint(directory, &error));
    fixture_put_probes(store, 500, 1);
    fixture_commit(store);
}

static void the_log_is_kept_with_its_ledger(void **state)
{
    fixture_in_killed_process(write_and_checkpoint_half, *state);
    static unsigned char damage[8 * 4096];
    fixture_file_patch(fixture_file_in(*state, "ledger.db"), 20 * 4096, damage, sizeof damage);
    struct fixture_content log = fixture_file_read(fixture_file_in(*state, "ledger.db-wal"));
    assert_kept_aside(*state);
    fixture_assert_same_content(fixture_file_in(*state, KEPT "-wal"), log);
    free(log.bytes);
}

static void a_newer_ledger_is_refused_and_left_alone(void **state)
{
    write_some(*state);
    fixture_file_patch(fixture_file_in(*state, "ledger.db"), 60, "\0\0\0\x63",
                       4); // its schema's version
    struct fixture_content content = fixture_file_read(fixture_file_in(*state, "ledger.db"));
    fixture_assert_refused(*state, "ledger.db was written by a newer version", "schema 99");
    fixture_assert_same_content(fixture_file_in(*state, "ledger.db"), content);
    free(content.bytes);
}

// More than SQLite keeps in memory.
enum { MANY = 30000 };

static void damage_all_but_the_first_page(const char *directory)
{
    static unsigned char damage[4096];
    memset(damage, 0xA5, sizeof damage);
    const char *ledger = fixture_file_in(directory, "ledger.db");
    for (off_t page = 1; page < fixture_file_size(ledger) / 4096; page++) {
        fixture_file_patch(ledger, page * 4096, damage, sizeof damage);
    }
}

static void damage_found_at_work_is_kept_aside_by_the_next_start(void **state)
{
    struct error error = {0};
    struct store *store = fixture_open(*state);
    fixture_put_probes(store, 0, MANY);
    fixture_commit(store);
    store_close(store);
    struct fixture_content sound = fixture_file_read(fixture_file_in(*state, "ledger.db"));
    store = fixture_open(*state);
    fixture_put_probes(store, MANY, 1);
    fixture_commit(store);
    // By another process: closing a file here would give up SQLite's locks on it.
    fixture_in_killed_process(damage_all_but_the_first_page, *state);
    unsigned found = 0;
    for (unsigned i = 0; i < MANY; i += 100) {
        found += fixture_has_probe(store, i);
    }
    assert_true(found < MANY / 100);
    assert_true(store_figures(store).corrupt);
    for (uint64_t failures = 1; failures <= 2; failures++) {
        fixture_put_probes(store, MANY + 1, 1);
        assert_false(store_commit(store, STORE_FAST, &error));
        fixture_assert_contains(error.message, "ledger.db: database disk image is malformed");
        fixture_assert_contains(error.message, "restart the agent: it keeps this ledger aside");
        assert_int_equal(store_figures(store).commit_failures, failures);
    }
    store_close(store);

    // Were it whole again, it would still lack what could not be written.
    fixture_file_patch(fixture_file_in(*state, "ledger.db"), 0, sound.bytes, sound.size);
    free(sound.bytes);
    assert_true(fixture_file_size(fixture_file_in(*state, "ledger.db-wal")) > 0);
    assert_kept_aside(*state);
    assert_true(fixture_file_size(fixture_file_in(*state, KEPT "-wal")) > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_ledger_without_its_header_is_kept_aside),
        TEST(a_ledger_of_garbage_is_kept_aside),
        TEST(a_ledger_damaged_in_the_middle_is_kept_aside),
        TEST(damage_at_any_page_is_kept_aside),
        TEST(a_ledger_cut_short_is_kept_aside),
        TEST(a_foreign_database_is_kept_aside),
        TEST(a_ledger_that_lacks_an_index_is_kept_aside),
        TEST(a_ledger_kept_earlier_stays),
        TEST(the_log_is_kept_with_its_ledger),
        TEST(a_newer_ledger_is_refused_and_left_alone),
        TEST(damage_found_at_work_is_kept_aside_by_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
