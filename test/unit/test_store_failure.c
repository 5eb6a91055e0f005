// The ledger when things go wrong: killed agents, two agents, full disks, damaged files.
#include "store_fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// Every wish of SQLite to have a file on the disk for certain comes through here.
static unsigned syncs;
int fdatasync(int file)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, file);
}

static void put_probes(struct store *store, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        struct probe_record record = fixture_inbound(i, "mx01", i);
        store_put_probe(store, &record);
    }
}

static bool has_probe(struct store *store, unsigned number)
{
    struct probe_id id = fixture_id(number);
    struct store_probe probe;
    return store_get_probe(store, &id, &probe);
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}

static void assert_refused(const char *directory, const char *first, const char *second)
{
    char kept[FILE_SIZE];
    struct error error = {0};
    assert_null(store_open(directory, fixture_now(), kept, sizeof kept, &error));
    assert_contains(error.message, first);
    assert_contains(error.message, second);
    assert_string_equal(kept, "");
}

static const char *file_in(const char *directory, const char *name)
{
    static char path[FILE_SIZE];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static off_t file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : -1;
}

struct content {
    size_t size;
    unsigned char *bytes;
};

static struct content file_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct content content = {.size = (size_t)file_size(path)};
    content.bytes = malloc(content.size + 1);
    assert_int_equal(fread(content.bytes, 1, content.size, file), content.size);
    fclose(file);
    return content;
}

static void assert_same_content(const char *path, struct content want)
{
    struct content got = file_read(path);
    assert_int_equal(got.size, want.size);
    assert_memory_equal(got.bytes, want.bytes, want.size);
    free(got.bytes);
}

static void file_patch(const char *path, off_t offset, const void *bytes, size_t count)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(file, bytes, count, offset), count);
    close(file);
}

// Runs it in a process that dies by SIGKILL when it is done, as if the agent had been killed there.
static void in_killed_process(void (*run)(const char *directory), const char *directory)
{
    pid_t child = fork();
    if (child == 0) {
        run(directory);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

// ---- ends without a close ----

static void write_ten_and_begin_ten_more(const char *directory)
{
    struct store *store = fixture_open(directory);
    put_probes(store, 0, 10);
    fixture_commit(store);
    put_probes(store, 10, 10);
}

static void a_killed_agent_keeps_what_it_committed(void **state)
{
    in_killed_process(write_ten_and_begin_ten_more, *state);
    struct store *store = fixture_open(*state);
    assert_int_equal(store_figures(store).entries, 10);
    assert_true(has_probe(store, 9));
    assert_false(has_probe(store, 10));
    put_probes(store, 10, 1);
    fixture_commit(store);
    store_close(store);
}

static void only_durable_commits_wait_for_the_disk(void **state)
{
    struct error error;
    struct store *store = fixture_open(*state);
    put_probes(store, 0, 1);
    syncs = 0;
    assert_true(store_commit(store, STORE_FAST, &error));
    assert_int_equal(syncs, 0);
    put_probes(store, 1, 1);
    assert_true(store_commit(store, STORE_DURABLE, &error));
    assert_int_equal(syncs, 1);
    assert_true(store_commit(store, STORE_DURABLE, &error)); // nothing new: nothing to wait for
    assert_int_equal(syncs, 1);
    put_probes(store, 2, 1);
    assert_true(store_commit(store, STORE_FAST, &error));
    assert_true(store_commit(store, STORE_DURABLE, &error)); // the fast one before becomes durable
    assert_int_equal(syncs, 2);
    store_close(store);
}

// ---- who may use the directory ----

static void a_second_agent_is_refused(void **state)
{
    char whose[64];
    struct store *store = fixture_open(*state);
    snprintf(whose, sizeof whose, "is in use by another agent (pid %ld)", (long)getpid());
    assert_refused(*state, *state, whose);
    put_probes(store, 0, 1);
    fixture_commit(store);
    store_close(store);
    store_close(fixture_open(*state));
}

static void only_its_user_may_read_the_ledger(void **state)
{
    static const char *const names[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm",
                                        "ledger.lock"};
    mode_t before = umask(0); // as careless as can be
    struct store *store = fixture_open(*state);
    umask(before);
    for (size_t i = 0; i < 4; i++) {
        struct stat status;
        assert_int_equal(stat(file_in(*state, names[i]), &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    store_close(store);
}

static void an_unusable_directory_is_named(void **state)
{
    char path[FILE_SIZE];
    strcpy(path, file_in(*state, "nowhere"));
    assert_refused(path, path, "No such file or directory; create it");
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_refused(path, path, "is not a directory");

    char endless[PATH_MAX];
    memset(endless, '/', sizeof endless);
    memcpy(endless, *state, strlen(*state));
    endless[sizeof endless - 2] = '\0';
    assert_refused(endless, *state, "name too long");

    mkdir(file_in(*state, "ledger.db"), 0700);
    assert_refused(*state, "ledger.db", "the agent's user must be able to read and write it");
}

// ---- mounts: in a namespace that ends with this process ----

static void mount_over(const char *directory, const char *options)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", directory, "tmpfs", 0, options) != 0) {
        print_message("skipped: needs the right to mount (run as root)\n");
        skip();
    }
}

static void a_read_only_directory_is_refused(void **state)
{
    mount_over(*state, "size=64k");
    assert_int_equal(mount(NULL, *state, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_refused(*state, *state, "Read-only file system; the agent's user must be able");
    umount(*state);
}

static void fill(const char *directory)
{
    static char block[4096];
    int file = open(file_in(directory, "ballast"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    while (write(file, block, sizeof block) > 0) {
    }
    close(file);
}

static void assert_commit_fails_for_space(struct store *store, const char *directory)
{
    struct error error = {0};
    assert_false(store_commit(store, STORE_FAST, &error));
    char want[FILE_SIZE];
    snprintf(want, sizeof want, "ledger %s/ledger.db: database or disk is full; free space",
             directory);
    assert_contains(error.message, want);
}

static void a_full_disk_fails_the_commit_until_there_is_space(void **state)
{
    mount_over(*state, "size=1m");
    struct store *store = fixture_open(*state);
    put_probes(store, 0, 1);
    fixture_commit(store);
    fill(*state);
    for (uint64_t failures = 1; failures <= 3; failures++) {
        put_probes(store, 1, 300); // 300 do not fit into what is left of the last page
        assert_commit_fails_for_space(store, *state);
        assert_int_equal(store_figures(store).commit_failures, failures);
        assert_int_equal(store_figures(store).entries, 1);
        assert_false(has_probe(store, 1));
        assert_true(has_probe(store, 0));
    }
    unlink(file_in(*state, "ballast"));
    put_probes(store, 1, 300);
    fixture_commit(store);
    assert_int_equal(store_figures(store).entries, 301);
    assert_int_equal(store_figures(store).commit_failures, 3);
    store_close(store);
    store = fixture_open(*state);
    assert_true(has_probe(store, 300));
    store_close(store);
    umount(*state);
}

static void a_start_on_a_full_disk_says_so(void **state)
{
    mount_over(*state, "size=256k");
    fill(*state);
    assert_refused(*state, *state, "free space on its file system");
    unlink(file_in(*state, "ballast"));
    store_close(fixture_open(*state));
    fill(*state);
    assert_refused(*state, "ledger.db: ", "free space on its file system");
    unlink(file_in(*state, "ballast"));
    store_close(fixture_open(*state));
    umount(*state);
}

// ---- damage ----

static void write_some(const char *directory)
{
    struct store *store = fixture_open(directory);
    put_probes(store, 0, 500);
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
    assert_string_equal(kept, file_in(directory, name));
    assert_int_equal(store_figures(store).entries, 0);
    put_probes(store, 7, 1);
    fixture_commit(store);
    store_close(store);
    store = fixture_open(directory);
    assert_true(has_probe(store, 7));
    store_close(store);
}

#define KEPT  "ledger.db.corrupt-20260921T141320Z"
#define KEPT2 "ledger.db.corrupt-20260921T141321Z"

static void assert_kept_aside(const char *directory)
{
    struct content content = file_read(file_in(directory, "ledger.db"));
    assert_begins_anew(directory, KEPT);
    assert_same_content(file_in(directory, KEPT), content);
    free(content.bytes);
}

static void a_ledger_without_its_header_is_kept_aside(void **state)
{
    write_some(*state);
    file_patch(file_in(*state, "ledger.db"), 0, "no database", 11);
    assert_kept_aside(*state);
}

static void a_ledger_of_garbage_is_kept_aside(void **state)
{
    FILE *file = fopen(file_in(*state, "ledger.db"), "wb");
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
    off_t middle = file_size(file_in(*state, "ledger.db")) / 2 / 4096 * 4096;
    file_patch(file_in(*state, "ledger.db"), middle, damage, sizeof damage);
    assert_kept_aside(*state);
}

static void a_ledger_cut_short_is_kept_aside(void **state)
{
    write_some(*state);
    const char *ledger = file_in(*state, "ledger.db");
    assert_int_equal(truncate(ledger, file_size(ledger) / 2), 0);
    assert_kept_aside(*state);
}

static void a_foreign_database_is_kept_aside(void **state)
{
    write_some(*state);
    file_patch(file_in(*state, "ledger.db"), 68, "\0\0\0\1", 4); // its application id
    assert_kept_aside(*state);
}

static void a_ledger_that_lacks_an_index_is_kept_aside(void **state)
{
    static const char name[] = "probes_by_verdict";
    write_some(*state);
    const char *ledger = file_in(*state, "ledger.db");
    struct content content = file_read(ledger);
    unsigned patched = 0;
    for (size_t i = 0; i + sizeof name < content.size; i++) {
        if (memcmp(content.bytes + i, name, sizeof name - 1) == 0) {
            file_patch(ledger, (off_t)i, "PROBES_by_nothing", sizeof name - 1);
            patched++;
        }
    }
    assert_int_equal(patched, 2); // its name and its definition
    free(content.bytes);
    assert_kept_aside(*state);
}

static void a_ledger_kept_earlier_stays(void **state)
{
    write_some(*state);
    file_patch(file_in(*state, "ledger.db"), 0, "first", 5);
    assert_kept_aside(*state);
    struct content first = file_read(file_in(*state, KEPT));
    file_patch(file_in(*state, "ledger.db"), 0, "second", 6);
    assert_begins_anew(*state, KEPT2);
    assert_same_content(file_in(*state, KEPT), first);
    free(first.bytes);
}

static void write_and_checkpoint_half(const char *directory)
{
    struct error error;
    struct store *store = fixture_open(directory);
    put_probes(store, 0, 500);
    fixture_commit(store);
    assert_true(store_checkpoint(directory, &error));
    put_probes(store, 500, 1);
    fixture_commit(store);
}

static void the_log_is_kept_with_its_ledger(void **state)
{
    in_killed_process(write_and_checkpoint_half, *state);
    static unsigned char damage[8 * 4096];
    file_patch(file_in(*state, "ledger.db"), 20 * 4096, damage, sizeof damage);
    struct content log = file_read(file_in(*state, "ledger.db-wal"));
    assert_kept_aside(*state);
    assert_same_content(file_in(*state, KEPT "-wal"), log);
    free(log.bytes);
}

static void a_newer_ledger_is_refused_and_left_alone(void **state)
{
    write_some(*state);
    file_patch(file_in(*state, "ledger.db"), 60, "\0\0\0\x63", 4); // its schema's version
    struct content content = file_read(file_in(*state, "ledger.db"));
    assert_refused(*state, "ledger.db was written by a newer version", "schema 99");
    assert_same_content(file_in(*state, "ledger.db"), content);
    free(content.bytes);
}

// More than SQLite keeps in memory.
enum { MANY = 30000 };

static void damage_all_but_the_first_page(const char *directory)
{
    static unsigned char damage[4096];
    memset(damage, 0xA5, sizeof damage);
    const char *ledger = file_in(directory, "ledger.db");
    for (off_t page = 1; page < file_size(ledger) / 4096; page++) {
        file_patch(ledger, page * 4096, damage, sizeof damage);
    }
}

static void damage_found_at_work_is_kept_aside_by_the_next_start(void **state)
{
    struct error error = {0};
    struct store *store = fixture_open(*state);
    put_probes(store, 0, MANY);
    fixture_commit(store);
    store_close(store);
    struct content sound = file_read(file_in(*state, "ledger.db"));
    store = fixture_open(*state);
    put_probes(store, MANY, 1);
    fixture_commit(store);
    // By another process: closing a file here would give up SQLite's locks on it.
    in_killed_process(damage_all_but_the_first_page, *state);
    unsigned found = 0;
    for (unsigned i = 0; i < MANY; i += 100) {
        found += has_probe(store, i);
    }
    assert_true(found < MANY / 100);
    assert_true(store_figures(store).corrupt);
    for (uint64_t failures = 1; failures <= 2; failures++) {
        put_probes(store, MANY + 1, 1);
        assert_false(store_commit(store, STORE_FAST, &error));
        assert_contains(error.message, "ledger.db: database disk image is malformed");
        assert_contains(error.message, "restart the agent: it keeps this ledger aside");
        assert_int_equal(store_figures(store).commit_failures, failures);
    }
    store_close(store);

    // Were it whole again, it would still lack what could not be written.
    file_patch(file_in(*state, "ledger.db"), 0, sound.bytes, sound.size);
    free(sound.bytes);
    assert_true(file_size(file_in(*state, "ledger.db-wal")) > 0);
    assert_kept_aside(*state);
    assert_true(file_size(file_in(*state, KEPT "-wal")) > 0);
}

// ---- the log ----

static void the_checkpoint_empties_a_log_past_its_limit(void **state)
{
    struct error error = {0};
    struct store *store = fixture_open(*state);
    put_probes(store, 0, 100);
    fixture_commit(store);
    off_t before = file_size(file_in(*state, "ledger.db"));
    assert_true(store_checkpoint(*state, &error));
    assert_true(file_size(file_in(*state, "ledger.db")) > before);
    assert_true(file_size(file_in(*state, "ledger.db-wal")) > 0); // used again from its beginning

    for (unsigned i = 100; file_size(file_in(*state, "ledger.db-wal")) <= 16 << 20; i += 1000) {
        put_probes(store, i, 1000);
        fixture_commit(store);
    }
    int64_t entries = store_figures(store).entries;
    assert_true(store_checkpoint(*state, &error));
    assert_int_equal(file_size(file_in(*state, "ledger.db-wal")), 0);
    store_close(store);
    assert_int_equal(file_size(file_in(*state, "ledger.db-wal")), -1);
    store = fixture_open(*state);
    assert_int_equal(store_figures(store).entries, entries);
    store_close(store);
}

static void *checkpoint_often(void *directory)
{
    struct error error = {0};
    bool done = true;
    for (int i = 0; done && i < 50; i++) {
        done = store_checkpoint(directory, &error);
    }
    return done ? NULL : "failed";
}

static void a_checkpoint_in_another_thread_hinders_nobody(void **state)
{
    pthread_t thread;
    void *failed;
    struct store *store = fixture_open(*state);
    assert_int_equal(pthread_create(&thread, NULL, checkpoint_often, *state), 0);
    for (unsigned i = 0; i < 1000; i++) {
        put_probes(store, i, 1);
        fixture_commit(store);
    }
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(store_figures(store).entries, 1000);
    store_close(store);
}

static void a_checkpoint_that_cannot_be_says_why(void **state)
{
    struct error error = {0};
    char path[FILE_SIZE];
    strcpy(path, file_in(*state, "nowhere"));
    assert_false(store_checkpoint(path, &error));
    assert_contains(error.message, path);
    assert_false(store_checkpoint(*state, &error)); // no ledger there
    assert_contains(error.message, "ledger.db: unable to open database file");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_killed_agent_keeps_what_it_committed),
        TEST(only_durable_commits_wait_for_the_disk),
        TEST(a_second_agent_is_refused),
        TEST(only_its_user_may_read_the_ledger),
        TEST(an_unusable_directory_is_named),
        TEST(a_read_only_directory_is_refused),
        TEST(a_full_disk_fails_the_commit_until_there_is_space),
        TEST(a_start_on_a_full_disk_says_so),
        TEST(a_ledger_without_its_header_is_kept_aside),
        TEST(a_ledger_of_garbage_is_kept_aside),
        TEST(a_ledger_damaged_in_the_middle_is_kept_aside),
        TEST(a_ledger_cut_short_is_kept_aside),
        TEST(a_foreign_database_is_kept_aside),
        TEST(a_ledger_that_lacks_an_index_is_kept_aside),
        TEST(a_ledger_kept_earlier_stays),
        TEST(the_log_is_kept_with_its_ledger),
        TEST(a_newer_ledger_is_refused_and_left_alone),
        TEST(damage_found_at_work_is_kept_aside_by_the_next_start),
        TEST(the_checkpoint_empties_a_log_past_its_limit),
        TEST(a_checkpoint_in_another_thread_hinders_nobody),
        TEST(a_checkpoint_that_cannot_be_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
