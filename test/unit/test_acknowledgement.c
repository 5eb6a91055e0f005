// What a peer is known to know of our windows: a table by id, never longer than that of the
// windows.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/acknowledgement.h"

static void test_nothing_is_known_at_first(void **state)
{
    (void)state;
    struct acknowledgements table = {0};
    assert_null(acknowledgements_find(&table, "w-1"));
    acknowledgements_of(&table, "w-1");
    const struct acknowledgement *made = acknowledgements_find(&table, "w-1");
    assert_non_null(made);
    assert_int_equal(made->known, 0);
    assert_int_equal(made->refused, 0);
    assert_string_equal(made->why, "");
    acknowledgements_free(&table);
}

// In whatever order they come, each is found, once, and the table is in the order of ids.
static void test_found_by_id_in_any_order(void **state)
{
    (void)state;
    struct acknowledgements table = {0};
    enum { COUNT = 101 };
    for (unsigned i = 0; i < 2 * COUNT; i++) {
        char id[WINDOW_ID_SIZE];
        snprintf(id, sizeof id, "w-%u", i * 37 % COUNT);
        acknowledgements_of(&table, id)->known = i * 37 % COUNT + 1;
    }
    assert_int_equal(table.count, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        char id[WINDOW_ID_SIZE];
        snprintf(id, sizeof id, "w-%u", i);
        assert_int_equal(acknowledgements_find(&table, id)->known, i + 1);
        assert_true(i == 0 || strcmp(table.items[i - 1].window, table.items[i].window) < 0);
    }
    assert_null(acknowledgements_find(&table, "w-"));
    assert_null(acknowledgements_find(&table, "x"));
    acknowledgements_free(&table);
}

static void test_windows_that_are_gone_are_forgotten(void **state)
{
    (void)state;
    struct acknowledgements table = {0};
    struct windows windows = {0};
    for (unsigned i = 0; i < 10; i++) {
        struct window window = {.revision = 1, .begin = {1000}, .end = {2000}};
        snprintf(window.id, sizeof window.id, "w-%u", i);
        acknowledgements_of(&table, window.id)->known = i + 1;
        if (i % 3 == 0) {
            assert_non_null(windows_put(&windows, &window));
        }
    }
    acknowledgements_forget(&table, &windows);
    assert_int_equal(table.count, 4);
    for (unsigned i = 0; i < 10; i++) {
        char id[WINDOW_ID_SIZE];
        snprintf(id, sizeof id, "w-%u", i);
        const struct acknowledgement *kept = acknowledgements_find(&table, id);
        assert_int_equal(kept == NULL ? 0 : kept->known, i % 3 == 0 ? i + 1 : 0);
    }
    acknowledgements_free(&table);
    windows_free(&windows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_known_at_first),
        cmocka_unit_test(test_found_by_id_in_any_order),
        cmocka_unit_test(test_windows_that_are_gone_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
