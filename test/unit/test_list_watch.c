// Whether lists of peers have changed: not while they are being written, and once for each change.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/list_watch.h"

static char directory[64], pattern[96];
static const char *const FILES[] = {pattern};
static const struct peer_source_settings SOURCE = {.files = FILES, .file_count = 1, .srv = ""};
static const struct settings SETTINGS = {.peers_from = &SOURCE, .peers_from_count = 1};

static int setup(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/mailflow-watch-XXXXXX");
    if (mkdtemp(directory) == NULL || chdir(directory) != 0) {
        return -1;
    }
    snprintf(pattern, sizeof pattern, "%s/*.json", directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    remove("a.json");
    remove("b.json");
    remove("c.txt");
    return chdir("/") != 0 || rmdir(directory) != 0 ? -1 : 0;
}

// Of a time of its own, whatever the clock of the file system can tell apart.
static void write_at(const char *name, const char *text, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

// Whether it is due at this look, and not at the next ones.
static bool due(struct list_watch *watch)
{
    bool first = list_watch_look(watch, &SETTINGS);
    assert_false(list_watch_look(watch, &SETTINGS) && first);
    return first;
}

static void test_due_once_it_keeps_still(void **state)
{
    (void)state;
    struct list_watch watch = {0};
    write_at("a.json", "1", 1000);
    assert_false(list_watch_look(&watch, &SETTINGS));
    assert_true(due(&watch)); // nobody knows when it was read
    write_at("a.json", "2", 1001);
    assert_false(list_watch_look(&watch, &SETTINGS));
    write_at("a.json", "3", 1002); // still being written
    assert_false(list_watch_look(&watch, &SETTINGS));
    assert_true(due(&watch));
    write_at("c.txt", "x", 1003); // none of ours
    assert_false(list_watch_look(&watch, &SETTINGS));
    assert_false(list_watch_look(&watch, &SETTINGS));
}

static void test_files_that_come_and_go(void **state)
{
    (void)state;
    struct list_watch watch = {0};
    list_watch_look(&watch, &SETTINGS);
    assert_true(due(&watch));
    write_at("b.json", "1", 1000);
    assert_false(list_watch_look(&watch, &SETTINGS));
    assert_true(due(&watch));
    assert_int_equal(rename("b.json", "a.json"), 0);
    assert_false(list_watch_look(&watch, &SETTINGS));
    assert_true(due(&watch));
    assert_int_equal(remove("a.json"), 0);
    assert_false(list_watch_look(&watch, &SETTINGS));
    assert_true(due(&watch));
}

static void test_a_directory_that_goes(void **state)
{
    (void)state;
    struct list_watch watch = {0};
    char moved[96];
    list_watch_look(&watch, &SETTINGS);
    assert_true(due(&watch));
    snprintf(moved, sizeof moved, "%s.away", directory);
    assert_int_equal(rename(directory, moved), 0);
    assert_false(list_watch_look(&watch, &SETTINGS));
    assert_true(due(&watch));
    assert_int_equal(rename(moved, directory), 0);
}

static struct timespec changed_at(const char *name)
{
    struct stat what;
    assert_int_equal(stat(name, &what), 0);
    return what.st_ctim;
}

static void test_a_file_that_may_be_read_now(void **state)
{
    (void)state;
    struct list_watch watch = {0};
    write_at("a.json", "1", 1000);
    list_watch_look(&watch, &SETTINGS);
    assert_true(due(&watch));
    struct timespec before = changed_at("a.json"), after = before;
    while (after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec) {
        assert_int_equal(chmod("a.json", 0644), 0); // until the file system's clock has ticked
        after = changed_at("a.json");
    }
    assert_false(list_watch_look(&watch, &SETTINGS));
    assert_true(due(&watch));
}

static unsigned looks_until_due(struct list_watch *watch, const struct settings *settings)
{
    unsigned looks = 1;
    while (looks < 100 && !list_watch_look(watch, settings)) {
        looks++;
    }
    return looks;
}

static void test_what_could_not_be_read_is_tried_again(void **state)
{
    (void)state;
    struct list_watch watch = {0};
    struct peer_list lists[] = {{.failure = ""}, {.failure = "no answer", .srv = true}};
    struct settings settings = SETTINGS;
    settings.lists = lists;
    settings.list_count = 2;
    write_at("a.json", "1", 1000);
    list_watch_look(&watch, &settings);
    assert_true(list_watch_look(&watch, &settings));
    assert_int_equal(looks_until_due(&watch, &settings), 100); // a name is asked for elsewhere
    lists[0].failure = "Input/output error";
    assert_int_equal(looks_until_due(&watch, &settings), 1);
    assert_int_equal(looks_until_due(&watch, &settings), 30);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_due_once_it_keeps_still),
        TEST(test_files_that_come_and_go),
        TEST(test_a_directory_that_goes),
        TEST(test_a_file_that_may_be_read_now),
        TEST(test_what_could_not_be_read_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
