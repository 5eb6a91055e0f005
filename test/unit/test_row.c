// The text in which agents tell each other of third servers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/row.h"

static struct row_entry entry_of(const char *server, enum row_view outbound, enum row_view inbound)
{
    struct row_entry entry = {.ways = {[OUTBOUND] = outbound, [INBOUND] = inbound}};
    text_copy(entry.server, sizeof entry.server, server);
    return entry;
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    const struct row_entry entries[] = {
        entry_of("ok", ROW_OK, ROW_OK),           entry_of("ok2", ROW_OK, ROW_OK),
        entry_of("dead", ROW_BAD, ROW_BAD),       entry_of("sends", ROW_BAD, ROW_OK),
        entry_of("takes", ROW_OK, ROW_BAD),       entry_of("comes", ROW_UNKNOWN, ROW_OK),
        entry_of("arrives", ROW_OK, ROW_UNKNOWN), entry_of("quiet", ROW_UNKNOWN, ROW_BAD),
        entry_of("stuck", ROW_BAD, ROW_UNKNOWN),  entry_of("nobody", ROW_UNKNOWN, ROW_UNKNOWN),
    };
    const size_t count = sizeof entries / sizeof entries[0];
    char row[ROW_SIZE];
    struct text out = TEXT_OVER(row);
    row_format(entries, count, &out);
    assert_string_equal(row, "bad=dead; in-only=sends; out-only=takes; in-bad=quiet; "
                             "out-bad=stuck; ok=ok ok2; in-ok=comes; out-ok=arrives");
    struct row_entry found;
    for (size_t i = 0; i + 1 < count; i++) {
        assert_true(row_find(row, entries[i].server, &found));
        assert_int_equal(found.ways[OUTBOUND], entries[i].ways[OUTBOUND]);
        assert_int_equal(found.ways[INBOUND], entries[i].ways[INBOUND]);
    }
    assert_false(row_find(row, "nobody", &found));
    assert_int_equal(row_entry_view(&found), ROW_UNKNOWN);
    assert_false(row_find(row, "o", &found));
    assert_false(row_find(row, "ok22", &found));
}

static void test_what_does_not_fit_is_left_out(void **state)
{
    (void)state;
    const struct row_entry entries[] = {
        entry_of("mx01", ROW_OK, ROW_OK),
        entry_of("mx02", ROW_OK, ROW_OK),
        entry_of("mx03", ROW_BAD, ROW_BAD),
    };
    char row[23];
    struct text out = TEXT_OVER(row);
    row_format(entries, 3, &out);
    assert_string_equal(row, "bad=mx03; ok=mx01 mx02");
    struct text shorter = text_over(row, 22);
    row_format(entries, 3, &shorter);
    assert_string_equal(row, "bad=mx03; ok=mx01");
    assert_false(shorter.truncated);
}

static void test_forty_two_servers_fit(void **state)
{
    (void)state;
    struct row_entry entries[41];
    for (int i = 0; i < 41; i++) {
        char name[SERVER_NAME_SIZE];
        snprintf(name, sizeof name, "mx%02d", i + 2);
        entries[i] = entry_of(name, i % 2 == 0 ? ROW_OK : ROW_BAD, i % 3 == 0 ? ROW_BAD : ROW_OK);
    }
    char row[ROW_SIZE];
    struct text out = TEXT_OVER(row);
    row_format(entries, 41, &out);
    struct row_reader reader = row_read(row);
    struct row_entry entry;
    int read = 0;
    while (row_next(&reader, &entry)) {
        read++;
    }
    assert_int_equal(read, 41);
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
        {"ok", ROW_UNKNOWN},
        {"=mx01", ROW_UNKNOWN},
        {";;; ;", ROW_UNKNOWN},
        {"ok=mx01", ROW_OK},
        {"out-only=mx01", ROW_OK},
        {"in-bad=mx01", ROW_BAD},
        {" ok=mx02\r\n\tmx01 ;bad=mx03", ROW_OK},
        {"ok=mx02; bad=mx01", ROW_BAD},
        {"later=mx01; ok=mx02; bad= mx01 ", ROW_BAD},
        {"later mx01; ok=mx02; bad= mx01 ", ROW_BAD},
        {"notok=mx01", ROW_UNKNOWN},
        {"mx01", ROW_UNKNOWN},
        {"ok=mx01.example", ROW_UNKNOWN},
        {"ok=a-name-of-thirty-three-letters-xx mx01", ROW_OK},
        {"ok=<b> mx01", ROW_OK},
        {"ok=mx011 x-mx01 mx01x; bad=mx01", ROW_BAD},
        {"ok=mx02 bad=mx01", ROW_UNKNOWN},
        {"ok=<b>=mx01", ROW_UNKNOWN},
        {"mx01;mx01=mx01;bad=mx02 mx01", ROW_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct row_entry entry;
        row_find(cases[i].row, "mx01", &entry);
        assert_int_equal(row_entry_view(&entry), cases[i].view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_what_does_not_fit_is_left_out),
        cmocka_unit_test(test_forty_two_servers_fit),
        cmocka_unit_test(test_any_text_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
