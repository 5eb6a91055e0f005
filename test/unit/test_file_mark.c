// By what a file is recognised as changed.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shell/file_mark.h"

static const struct stat FILE_NOW = {.st_dev = 1,
                                     .st_ino = 2,
                                     .st_size = 3,
                                     .st_mtim = {.tv_sec = 4, .tv_nsec = 5},
                                     .st_ctim = {.tv_sec = 6, .tv_nsec = 7}};

static void test_every_part_tells_files_apart(void **state)
{
    (void)state;
    struct stat others[] = {FILE_NOW, FILE_NOW, FILE_NOW, FILE_NOW, FILE_NOW, FILE_NOW, FILE_NOW};
    others[0].st_dev++;
    others[1].st_ino++;
    others[2].st_size++;
    others[3].st_mtim.tv_sec++;
    others[4].st_mtim.tv_nsec++;
    others[5].st_ctim.tv_sec++;
    others[6].st_ctim.tv_nsec++;
    struct file_mark now = file_mark_of(&FILE_NOW), again = file_mark_of(&FILE_NOW);
    assert_true(file_mark_equal(&now, &again));
    assert_int_equal(now.written.ns, 4000000005);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct file_mark other = file_mark_of(&others[i]);
        assert_false(file_mark_equal(&now, &other));
    }
}

static void test_any_year(void **state)
{
    (void)state;
    struct stat file = FILE_NOW;
    file.st_mtim.tv_sec = INT64_C(16725225600); // 2500
    assert_true(file_mark_of(&file).written.ns == INT64_MAX);
    file.st_mtim.tv_sec = -INT64_C(16725225600);
    assert_true(file_mark_of(&file).written.ns < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_part_tells_files_apart),
        cmocka_unit_test(test_any_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
