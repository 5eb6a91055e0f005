// A small file that is there whole or not at all.
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

#include "shell/kept_file.h"

static char directory[64];

static int setup(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/mailflow-kept-XXXXXX");
    return mkdtemp(directory) == NULL || chdir(directory) != 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    remove("peers/a.json");
    remove("peers/a.json.new");
    remove("peers");
    return chdir("/") != 0 || rmdir(directory) != 0 ? -1 : 0;
}

static const char *path_of(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void assert_kept(const char *expected)
{
    char *text = kept_file_read(path_of("peers/a.json"));
    assert_string_equal(text, expected);
    free(text);
}

static void test_written_and_replaced(void **state)
{
    (void)state;
    struct error error;
    assert_null(kept_file_read(path_of("peers/a.json")));
    assert_true(kept_file_write(path_of("peers/a.json"), "one\n", &error));
    assert_kept("one\n");
    assert_true(kept_file_write(path_of("peers/a.json"), "two", &error));
    assert_kept("two");
    assert_int_equal(access("peers/a.json.new", F_OK), -1);
}

static void test_what_cannot_be_written_changes_nothing(void **state)
{
    (void)state;
    struct error error;
    assert_true(kept_file_write(path_of("peers/a.json"), "one", &error));
    assert_int_equal(mkdir("peers/a.json.new", 0700), 0); // where the new one would be begun
    assert_false(kept_file_write(path_of("peers/a.json"), "two", &error));
    assert_non_null(strstr(error.message, "peers/a.json.new: Is a directory"));
    assert_kept("one");
    assert_false(kept_file_write(path_of("no/where/a.json"), "two", &error));
    assert_non_null(strstr(error.message, "no/where: No such file or directory"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_written_and_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_written_changes_nothing, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
