// The text in which agents tell each other of third servers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/row.h"

static void test_written_and_read(void **state)
{
    (void)state;
    char row[ROW_SIZE];
    struct text out = TEXT_OVER(row);
    assert_true(row_add(&out, ROW_BAD, "mx07", true));
    assert_true(row_add(&out, ROW_OK, "mx01", true));
    assert_true(row_add(&out, ROW_OK, "mx03", false));
    assert_string_equal(row, "bad=mx07; ok=mx01 mx03");
    assert_int_equal(row_find(row, "mx07"), ROW_BAD);
    assert_int_equal(row_find(row, "mx01"), ROW_OK);
    assert_int_equal(row_find(row, "mx03"), ROW_OK);
    assert_int_equal(row_find(row, "mx0"), ROW_UNKNOWN);
    assert_int_equal(row_find(row, "mx033"), ROW_UNKNOWN);
}

static void test_whole_names_only(void **state)
{
    (void)state;
    char row[16];
    struct text out = TEXT_OVER(row);
    assert_true(row_add(&out, ROW_OK, "mx01", true));
    assert_true(row_add(&out, ROW_OK, "mx02", false));
    assert_false(row_add(&out, ROW_OK, "mx03", false));
    assert_string_equal(row, "ok=mx01 mx02");
}

static void test_any_text_is_read(void **state)
{
    (void)state;
    static const struct row_case {
        const char *row;
        enum row_view view; // of mx01
    } cases[] = {
        {"", ROW_UNKNOWN},
        {"ok=", ROW_UNKNOWN},
        {";;; ;", ROW_UNKNOWN},
        {"ok=mx01", ROW_OK},
        {" ok=mx02\r\n\tmx01 ;bad=mx03", ROW_OK},
        {"ok=mx02; bad=mx01", ROW_BAD},
        {"later=mx01; ok=mx02; bad= mx01 ", ROW_BAD},
        {"notok=mx01", ROW_UNKNOWN},
        {"mx01", ROW_UNKNOWN},
        {"ok=mx01.example", ROW_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(row_find(cases[i].row, "mx01"), cases[i].view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_and_read),
        cmocka_unit_test(test_whole_names_only),
        cmocka_unit_test(test_any_text_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
