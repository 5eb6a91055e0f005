// Files that appear all together or not at all.
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

#include "base/text.h"
#include "config_fixture.h"
#include "ctl/staging.h"

static char *content_of(const char *path)
{
    static char bytes[64];
    FILE *file = fopen(path, "re");
    size_t length = file == NULL ? 0 : fread(bytes, 1, sizeof bytes - 1, file);
    bytes[length] = '\0';
    if (file != NULL) {
        fclose(file);
    }
    return file == NULL ? NULL : bytes;
}

static mode_t mode_of(const char *path)
{
    struct stat what;
    assert_int_equal(stat(path, &what), 0);
    return what.st_mode & 07777;
}

// How many names there are in a folder; -1 when there is no such folder.
static int count_names(const char *folder)
{
    char command[256];
    int count = -1;
    snprintf(command, sizeof command, "test -d '%s' && ls -A '%s' | wc -l", folder, folder);
    FILE *out = popen(command, "re");
    if (fscanf(out, "%d", &count) != 1) {
        count = -1;
    }
    pclose(out);
    return count;
}

static void draft(struct staging *staging)
{
    struct error error;
    assert_true(staging_begin(staging, "etc/mailflow.yaml", &error));
    assert_true(staging_write(staging, "key", 0600, "secret", 6, &error));
    assert_true(staging_write(staging, "mailflow.yaml", 0644, "yaml", 4, &error));
}

static void a_commit_brings_everything(void **state)
{
    (void)state;
    struct staging staging;
    struct error error;
    char path[PATH_MAX];
    draft(&staging);
    staging_draft(&staging, "key", path);
    assert_string_equal(content_of(path), "secret");
    assert_null(content_of("etc/key"));
    assert_true(staging_commit(&staging, false, &error));
    assert_string_equal(content_of("etc/key"), "secret");
    assert_int_equal(mode_of("etc/key"), 0600);
    assert_int_equal(mode_of("etc/mailflow.yaml"), 0644);
    assert_int_equal(mode_of("etc"), 0750);
    assert_int_equal(count_names("etc"), 2);
    staging_take_back(&staging);
    assert_int_equal(count_names("etc"), 0);
}

static void the_folder_has_its_mode_whatever_the_umask(void **state)
{
    (void)state;
    struct staging staging;
    mode_t before = umask(077);
    draft(&staging);
    umask(before);
    assert_int_equal(mode_of("etc"), 0750);
    staging_abandon(&staging);
}

static void what_is_abandoned_leaves_nothing(void **state)
{
    (void)state;
    struct staging staging;
    draft(&staging);
    staging_abandon(&staging);
    staging_abandon(&staging);
    assert_int_equal(count_names("etc"), -1); // the folder was ours
    assert_int_equal(mkdir("etc", 0700), 0);
    draft(&staging);
    staging_abandon(&staging);
    assert_int_equal(count_names("etc"), 0); // this one was not
}

static void nothing_is_replaced_unasked(void **state)
{
    (void)state;
    struct staging staging;
    struct error error;
    assert_int_equal(mkdir("etc", 0700), 0);
    config_fixture_write_text("etc/mailflow.yaml", "old");
    draft(&staging);
    assert_false(staging_commit(&staging, false, &error));
    assert_string_equal(error.message, "etc/mailflow.yaml: File exists");
    assert_string_equal(content_of("etc/mailflow.yaml"), "old");
    assert_null(content_of("etc/key")); // was there for a moment
    assert_int_equal(count_names("etc"), 1);
    draft(&staging);
    assert_true(staging_commit(&staging, true, &error));
    assert_string_equal(content_of("etc/mailflow.yaml"), "yaml");
    assert_int_equal(count_names("etc"), 2);
}

static void what_is_kept_is_seen_and_stays(void **state)
{
    (void)state;
    struct staging staging;
    struct error error;
    char path[PATH_MAX];
    assert_int_equal(mkdir("etc", 0700), 0);
    config_fixture_write_text("etc/mesh.key", "old");
    draft(&staging);
    assert_true(staging_keep(&staging, "mesh.key", &error));
    staging_draft(&staging, "mesh.key", path);
    assert_string_equal(content_of(path), "old");
    assert_true(staging_commit(&staging, true, &error));
    assert_string_equal(content_of("etc/mesh.key"), "old");
    staging_take_back(&staging);
    assert_int_equal(count_names("etc"), 1);
}

static void a_folder_that_cannot_be_made(void **state)
{
    (void)state;
    struct staging staging;
    struct error error;
    assert_false(staging_begin(&staging, "nowhere/etc/mailflow.yaml", &error));
    assert_string_equal(error.message, "nowhere/etc: No such file or directory");
    staging_abandon(&staging);
    config_fixture_write_text("file", "");
    assert_false(staging_begin(&staging, "file/mailflow.yaml", &error));
    assert_string_equal(error.message, "cannot write to file: Not a directory");
    staging_abandon(&staging);
    assert_non_null(content_of("file"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, config_fixture_enter, config_fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_brings_everything),   TEST(what_is_abandoned_leaves_nothing),
        TEST(nothing_is_replaced_unasked),  TEST(what_is_kept_is_seen_and_stays),
        TEST(a_folder_that_cannot_be_made), TEST(the_folder_has_its_mode_whatever_the_umask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
