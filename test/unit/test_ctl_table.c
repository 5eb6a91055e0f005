#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/table.h"

static const struct table_column COLUMNS[] = {
    {.title = "NAME", .cut = 6},
    {.title = "COUNT", .right = true, .sequence = 1},
    {.title = "NOTE", .sequence = 2},
};

static struct table *table_on(const struct terminal *terminal)
{
    return table_create(COLUMNS, sizeof COLUMNS / sizeof COLUMNS[0], terminal);
}

static void add_row(struct table *table, const char *name, const char *count, const char *note)
{
    table_add(table, name, COLOUR_PLAIN);
    table_add(table, count, COLOUR_PLAIN);
    table_add(table, note, COLOUR_PLAIN);
}

static void assert_prints(struct table *table, const char *expected)
{
    char *printed;
    size_t size;
    FILE *out = open_memstream(&printed, &size);
    table_print(table, out);
    fclose(out);
    assert_string_equal(printed, expected);
    free(printed);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    struct terminal terminal = {.utf8 = true};
    struct table *table = table_on(&terminal);
    (void)state;
    add_row(table, "mx01", "7", "x");
    add_row(table, "mx02->mx01", "100000", "");
    assert_prints(table, "NAME         COUNT  NOTE\n"
                         "mx01             7  x\n"
                         "mx02->mx01  100000  -\n");
    table_destroy(table);
}

static void width_is_counted_in_columns_not_bytes(void **state)
{
    struct terminal terminal = {.utf8 = true};
    struct table *table = table_on(&terminal);
    (void)state;
    add_row(table, "Malmö", "1", "x");
    add_row(table, "東京", "1", "x");
    add_row(table, "e\xCC\x81", "1", "x");
    assert_prints(table, "NAME   COUNT  NOTE\n"
                         "Malmö      1  x\n"
                         "東京       1  x\n"
                         "e\xCC\x81          1  x\n");
    table_destroy(table);
}

static void what_the_terminal_would_obey_is_escaped(void **state)
{
    struct terminal terminal = {.utf8 = true};
    struct table *table = table_on(&terminal);
    (void)state;
    add_row(table, "\033[2J", "\r\n", "\xC2\x9B\xFF");
    assert_prints(table, "NAME     COUNT  NOTE\n"
                         "\\x1b[2J   \\r\\n  \\xc2\\x9b\\xff\n");
    table_destroy(table);
    table = table_on(&terminal);
    add_row(table, "\u202E10xm", "1", "x");
    assert_prints(table, "NAME              COUNT  NOTE\n"
                         "\\xe2\\x80\\xae10xm      1  x\n");
    table_destroy(table);
}

static void cut_columns_shrink_first(void **state)
{
    struct terminal terminal = {.utf8 = true, .width = 24};
    struct table *table = table_on(&terminal);
    (void)state;
    add_row(table, "a-very-long-name", "7", "note");
    assert_prints(table, "NAME         COUNT  NOTE\n"
                         "a-very-lon…      7  note\n");
    table_destroy(table);
}

static void then_columns_are_left_out_in_their_sequence(void **state)
{
    struct terminal terminal = {.width = 15};
    struct table *table = table_on(&terminal);
    (void)state;
    add_row(table, "a-very-long-name", "7", "note");
    assert_prints(table, "NAME       NOTE\n"
                         "a-very-l~  note\n"
                         "(too narrow for COUNT)\n");
    table_destroy(table);

    terminal.width = 8;
    table = table_on(&terminal);
    add_row(table, "a-very-long-name", "7", "note");
    assert_prints(table, "NAME\n"
                         "a-very-~\n"
                         "(too narrow for COUNT, NOTE)\n");
    table_destroy(table);
}

static void a_wide_character_is_not_cut_in_two(void **state)
{
    struct terminal terminal = {.utf8 = true, .width = 6};
    struct table *table = table_on(&terminal);
    (void)state;
    add_row(table, "東京東京", "7", "note");
    assert_prints(table, "NAME\n"
                         "東京…\n"
                         "(too narrow for COUNT, NOTE)\n");
    table_destroy(table);
}

static void portions_stand_under_each_other(void **state)
{
    struct terminal terminal = {.utf8 = true, .width = 24};
    struct table *table = table_on(&terminal);
    (void)state;
    add_row(table, "mx01-long", "7", "a");
    assert_prints(table, "NAME       COUNT  NOTE\n"
                         "mx01-long      7  a\n");
    add_row(table, "b", "8", "c");
    assert_prints(table, "b              8  c\n");
    assert_prints(table, "");
    table_destroy(table);
}

static void colour_surrounds_the_text_and_not_the_blanks(void **state)
{
    struct terminal terminal = {.utf8 = true, .colour = true};
    struct table *table = table_on(&terminal);
    (void)state;
    table_add(table, "ok", COLOUR_GOOD);
    table_add(table, "7", COLOUR_BAD);
    table_add(table, "x", COLOUR_PLAIN);
    assert_prints(table, "NAME  COUNT  NOTE\n"
                         "\033[32mok\033[0m        \033[31m7\033[0m  x\n");
    table_destroy(table);
}

static void a_row_begun_is_not_printed(void **state)
{
    struct terminal terminal = {.utf8 = true};
    struct table *table = table_on(&terminal);
    (void)state;
    table_add(table, "half", COLOUR_PLAIN);
    assert_prints(table, "NAME  COUNT  NOTE\n");
    table_destroy(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(width_is_counted_in_columns_not_bytes),
        cmocka_unit_test(what_the_terminal_would_obey_is_escaped),
        cmocka_unit_test(cut_columns_shrink_first),
        cmocka_unit_test(then_columns_are_left_out_in_their_sequence),
        cmocka_unit_test(a_wide_character_is_not_cut_in_two),
        cmocka_unit_test(portions_stand_under_each_other),
        cmocka_unit_test(colour_surrounds_the_text_and_not_the_blanks),
        cmocka_unit_test(a_row_begun_is_not_printed),
    };
    if (setlocale(LC_CTYPE, "C.utf8") == NULL) {
        return EXIT_FAILURE;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
