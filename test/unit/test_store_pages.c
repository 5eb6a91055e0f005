// A ledger damaged at any of its pages, and a log damaged at any place: never a crash, and never a
// probe that nobody wrote. The ledger is either whole or kept aside as it is; of a log what was
// committed before the damage is kept, as after a power cut.
#include "store_fixture.h"

enum { PAGE = 4096, PROBES = 100, LOGGED = 60 };

static void write_ledger(const char *directory)
{
    struct store *store = fixture_open(directory);
    fixture_put_probes(store, 0, PROBES);
    struct probe_record flying = fixture_outbound(PROBES, "mx02", 9);
    store_put_probe(store, &flying);
    struct incident incident = {.id = 1, .kind = INCIDENT_DOWN, .notified = true};
    store_put_incident(store, &incident);
    fixture_commit(store);
    store_close(store);
}

static void fill_with_garbage(unsigned char *bytes, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(seed >> 24);
    }
}

static void rewrite(const char *path, struct fixture_content content)
{
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(content.bytes, 1, content.size, file), content.size);
    fclose(file);
}

// How many of the probes are there; each as it was written.
static unsigned count_probes(struct store *store, unsigned count)
{
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++) {
        struct probe_id id = fixture_id(i);
        struct store_probe probe;
        if (store_get_probe(store, &id, &probe)) {
            struct probe_record want = fixture_inbound(i, "mx01", i);
            fixture_assert_equal(&probe.record, &want);
            found++;
        }
    }
    return found;
}

// Nothing in between: whole and with all that was written, or kept aside and begun anew.
static bool assert_whole_or_kept(const char *directory, struct fixture_content damaged)
{
    char kept[FILE_SIZE] = "";
    struct error error = {0};
    struct store *store = store_open(directory, fixture_now(), kept, sizeof kept, &error);
    assert_string_equal(error.message, "");
    assert_non_null(store);
    bool whole = kept[0] == '\0';
    assert_int_equal(store_figures(store).entries, whole ? PROBES + 1 : 0);
    assert_int_equal(count_probes(store, PROBES), whole ? PROBES : 0);
    assert_false(store_figures(store).corrupt);
    struct probe_record more = fixture_inbound(PROBES + 7, "mx01", 7);
    store_put_probe(store, &more);
    fixture_commit(store);
    store_close(store);
    if (!whole) {
        fixture_assert_same_content(kept, damaged);
        unlink(kept);
    }
    return whole;
}

enum damage { GARBAGE, ZEROES, CUT, CUT_WITHIN };

static struct fixture_content spoil(struct fixture_content sound, size_t page, enum damage damage)
{
    struct fixture_content spoilt = {.size = sound.size, .bytes = malloc(sound.size)};
    memcpy(spoilt.bytes, sound.bytes, sound.size);
    switch (damage) {
    case GARBAGE:
        fill_with_garbage(spoilt.bytes + page * PAGE, PAGE, (unsigned)page);
        break;
    case ZEROES:
        memset(spoilt.bytes + page * PAGE, 0, PAGE);
        break;
    case CUT:
    case CUT_WITHIN:
        spoilt.size = page * PAGE + (damage == CUT_WITHIN ? PAGE / 3 : 0);
        break;
    }
    return spoilt;
}

static void assert_survives(const char *directory, enum damage damage)
{
    write_ledger(directory);
    char ledger[FILE_SIZE];
    strcpy(ledger, fixture_file_in(directory, "ledger.db"));
    struct fixture_content sound = fixture_file_read(ledger);
    size_t pages = sound.size / PAGE;
    assert_true(pages > 25);
    unsigned whole = 0;
    for (size_t page = damage == CUT ? 1 : 0; page < pages; page++) {
        struct fixture_content spoilt = spoil(sound, page, damage);
        rewrite(ledger, spoilt);
        whole += assert_whole_or_kept(directory, spoilt);
        free(spoilt.bytes);
    }
    free(sound.bytes);
    print_message("%zu pages, %u of them not missed\n", pages, whole);
    assert_true(whole < pages / 4);
}

static void garbage_in_any_page(void **state)
{
    assert_survives(*state, GARBAGE);
}

static void zeroes_in_any_page(void **state)
{
    assert_survives(*state, ZEROES);
}

static void cut_at_any_page(void **state)
{
    assert_survives(*state, CUT);
}

static void cut_within_any_page(void **state)
{
    assert_survives(*state, CUT_WITHIN);
}

static void write_log(const char *directory)
{
    struct store *store = fixture_open(directory);
    for (unsigned i = 0; i < LOGGED; i++) {
        fixture_put_probes(store, i, 1);
        fixture_commit(store);
    }
}

static void a_log_damaged_anywhere(void **state)
{
    write_ledger(*state);
    struct store *empty = fixture_open(*state);
    store_close(empty);
    char ledger[FILE_SIZE], log[FILE_SIZE];
    strcpy(ledger, fixture_file_in(*state, "ledger.db"));
    strcpy(log, fixture_file_in(*state, "ledger.db-wal"));
    unlink(ledger);
    fixture_in_killed_process(write_log, *state);
    struct fixture_content sound = fixture_file_read(ledger), whole = fixture_file_read(log);
    unsigned least = LOGGED, most = 0;
    for (size_t at = 0; at + PAGE < whole.size; at += 7 * PAGE) {
        struct fixture_content spoilt = {whole.size, malloc(whole.size)};
        memcpy(spoilt.bytes, whole.bytes, whole.size);
        fill_with_garbage(spoilt.bytes + at, PAGE / 4, (unsigned)at);
        rewrite(ledger, sound);
        rewrite(log, spoilt);
        unlink(fixture_file_in(*state, "ledger.db-shm"));
        free(spoilt.bytes);
        struct store *store = fixture_open(*state);
        unsigned kept = count_probes(store, LOGGED);
        assert_int_equal(store_figures(store).entries, kept);
        assert_int_equal(count_probes(store, kept), kept); // the first of them, none left out
        store_close(store);
        least = kept < least ? kept : least;
        most = kept > most ? kept : most;
    }
    print_message("of %d commits %u to %u are left\n", LOGGED, least, most);
    assert_true(most > least);
    free(sound.bytes);
    free(whole.bytes);
}

// In memory: hundreds of ledgers are begun, and each waits for its disk otherwise.
static int set_up_in_memory(void **state)
{
    char *directory = malloc(DIRECTORY_SIZE);
    strcpy(directory, "/dev/shm/mailflow-store-XXXXXX");
    *state = directory;
    return mkdtemp(directory) == NULL;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_in_memory, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(garbage_in_any_page), TEST(zeroes_in_any_page),     TEST(cut_at_any_page),
        TEST(cut_within_any_page), TEST(a_log_damaged_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
