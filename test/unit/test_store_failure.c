// The ledger when things go wrong: killed agents, two agents, full disks, a log that has grown.
#include "store_fixture.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

// Every wish of SQLite to have a file on the disk for certain comes through here.
static unsigned syncs;
int fdatasync(int file)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, file);
}

// ---- ends without a close ----

static void write_ten_and_begin_ten_more(const char *directory)
{
    struct store *store = fixture_open(directory);
    fixture_put_probes(store, 0, 10);
    fixture_commit(store);
    fixture_put_probes(store, 10, 10);
}

static void a_killed_agent_keeps_what_it_committed(void **state)
{
    fixture_in_killed_process(write_ten_and_begin_ten_more, *state);
    struct store *store = fixture_open(*state);
    assert_int_equal(store_figures(store).entries, 10);
    assert_true(fixture_has_probe(store, 9));
    assert_false(fixture_has_probe(store, 10));
    fixture_put_probes(store, 10, 1);
    fixture_commit(store);
    store_close(store);
}

static void only_durable_commits_wait_for_the_disk(void **state)
{
    struct error error;
    struct store *store = fixture_open(*state);
    fixture_put_probes(store, 0, 1);
    syncs = 0;
    assert_true(store_commit(store, STORE_FAST, &error));
    assert_int_equal(syncs, 0);
    fixture_put_probes(store, 1, 1);
    assert_true(store_commit(store, STORE_DURABLE, &error));
    assert_int_equal(syncs, 1);
    assert_true(store_commit(store, STORE_DURABLE, &error)); // nothing new: nothing to wait for
    assert_int_equal(syncs, 1);
    fixture_put_probes(store, 2, 1);
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
    fixture_assert_refused(*state, *state, whose);
    fixture_put_probes(store, 0, 1);
    fixture_commit(store);
    store_close(store);
    store_close(fixture_open(*state));
}

// Of an agent that is killed as it starts a prober: a copy of it that has not become the prober
// yet.
static void what_a_killed_agent_was_just_starting_is_waited_for(void **state)
{
    const struct timespec moment = {.tv_nsec = 300000000};
    struct store *store = fixture_open(*state);
    pid_t copy = fork();
    if (copy == 0) {
        nanosleep(&moment, NULL);
        _exit(EXIT_SUCCESS);
    }
    store_close(store);
    store_close(fixture_open(*state));
    assert_int_equal(waitpid(copy, NULL, 0), copy);
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
        assert_int_equal(stat(fixture_file_in(*state, names[i]), &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    store_close(store);
}

static void an_unusable_directory_is_named(void **state)
{
    char path[FILE_SIZE];
    strcpy(path, fixture_file_in(*state, "nowhere/state"));
    fixture_assert_refused(path, path, "No such file or directory; create it");
    strcpy(path, fixture_file_in(*state, "file"));
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    fixture_assert_refused(path, path, "is not a directory");

    char endless[PATH_MAX];
    memset(endless, '/', sizeof endless);
    memcpy(endless, *state, strlen(*state));
    endless[sizeof endless - 2] = '\0';
    fixture_assert_refused(endless, *state, "name too long");

    mkdir(fixture_file_in(*state, "ledger.db"), 0700);
    fixture_assert_refused(*state, "ledger.db",
                           "the agent's user must be able to read and write it");
}

// ---- mounts: in a namespace that ends with this process ----

static void mount_over(const char *directory, const char *options)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", directory, "tmpfs", 0, options) != 0) {
        print_message("skipped: needs the right to mount (run as root)\n");
        skip();
    }
}

static void a_read_only_directory_is_refused(void **state)
{
    mount_over(*state, "size=64k");
    assert_int_equal(mount("none", *state, "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
    fixture_assert_refused(*state, *state, "Read-only file system; the agent's user must be able");
    umount(*state);
}

static void fill(const char *directory)
{
    static char block[4096];
    int file = open(fixture_file_in(directory, "ballast"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
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
    fixture_assert_contains(error.message, want);
}

static void a_full_disk_fails_the_commit_until_there_is_space(void **state)
{
    mount_over(*state, "size=1m");
    struct store *store = fixture_open(*state);
    fixture_put_probes(store, 0, 1);
    fixture_commit(store);
    fill(*state);
    for (uint64_t failures = 1; failures <= 3; failures++) {
        fixture_put_probes(store, 1, 300); // 300 do not fit into what is left of the last page
        assert_commit_fails_for_space(store, *state);
        assert_int_equal(store_figures(store).commit_failures, failures);
        assert_int_equal(store_figures(store).entries, 1);
        assert_false(fixture_has_probe(store, 1));
        assert_true(fixture_has_probe(store, 0));
    }
    unlink(fixture_file_in(*state, "ballast"));
    fixture_put_probes(store, 1, 300);
    fixture_commit(store);
    assert_int_equal(store_figures(store).entries, 301);
    assert_int_equal(store_figures(store).commit_failures, 3);
    store_close(store);
    store = fixture_open(*state);
    assert_true(fixture_has_probe(store, 300));
    store_close(store);
    umount(*state);
}

static void a_start_on_a_full_disk_says_so(void **state)
{
    mount_over(*state, "size=512k");
    fill(*state);
    fixture_assert_refused(*state, *state, "free space on its file system");
    unlink(fixture_file_in(*state, "ballast"));
    store_close(fixture_open(*state));
    fill(*state);
    fixture_assert_refused(*state, "ledger.db: ", "free space on its file system");
    unlink(fixture_file_in(*state, "ballast"));
    store_close(fixture_open(*state));
    umount(*state);
}

// ---- the log ----

static void the_checkpoint_empties_a_log_past_its_limit(void **state)
{
    struct error error = {0};
    struct store *store = fixture_open(*state);
    fixture_put_probes(store, 0, 100);
    fixture_commit(store);
    off_t before = fixture_file_size(fixture_file_in(*state, "ledger.db"));
    assert_true(store_checkpoint(*state, &error));
    assert_true(fixture_file_size(fixture_file_in(*state, "ledger.db")) > before);
    assert_true(fixture_file_size(fixture_file_in(*state, "ledger.db-wal")) >
                0); // used again from its beginning

    for (unsigned i = 100; fixture_file_size(fixture_file_in(*state, "ledger.db-wal")) <= 16 << 20;
         i += 1000) {
        fixture_put_probes(store, i, 1000);
        fixture_commit(store);
    }
    int64_t entries = store_figures(store).entries;
    assert_true(store_checkpoint(*state, &error));
    assert_int_equal(fixture_file_size(fixture_file_in(*state, "ledger.db-wal")), 0);
    store_close(store);
    assert_int_equal(fixture_file_size(fixture_file_in(*state, "ledger.db-wal")), -1);
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
        fixture_put_probes(store, i, 1);
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
    strcpy(path, fixture_file_in(*state, "nowhere"));
    assert_false(store_checkpoint(path, &error));
    fixture_assert_contains(error.message, path);
    assert_false(store_checkpoint(*state, &error)); // no ledger there
    fixture_assert_contains(error.message, "ledger.db: unable to open database file");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_killed_agent_keeps_what_it_committed),
        TEST(only_durable_commits_wait_for_the_disk),
        TEST(a_second_agent_is_refused),
        TEST(what_a_killed_agent_was_just_starting_is_waited_for),
        TEST(only_its_user_may_read_the_ledger),
        TEST(an_unusable_directory_is_named),
        TEST(a_read_only_directory_is_refused),
        TEST(a_full_disk_fails_the_commit_until_there_is_space),
        TEST(a_start_on_a_full_disk_says_so),
        TEST(the_checkpoint_empties_a_log_past_its_limit),
        TEST(a_checkpoint_in_another_thread_hinders_nobody),
        TEST(a_checkpoint_that_cannot_be_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
