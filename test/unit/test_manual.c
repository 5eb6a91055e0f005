// What the manual of the tag shows is a tag, by the parsers of the programs.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/receipt.h"
#include "core/announcement.h"
#include "core/row.h"
#include "probes/collect/recognise.h"

static const struct mesh_keys KEYS = {
    .keys = {{.id = "k1", .secret = "0123456789abcdef0123456789abcdef", .secret_length = 32}},
    .count = 1};

static void append_line(const char *line, struct text *out)
{
    for (; *line != '\0'; line++) {
        if (*line != '\\') { // hyphens are written so
            text_append_bytes(out, line, 1);
        }
    }
}

// A word that has no room on a line goes on behind three blanks.
static const char *join_word(const char *line, struct text *out)
{
    if (strncmp(line, "   ", 3) != 0) {
        return line;
    }
    assert_true(out->length > 0);
    out->data[--out->length] = '\0';
    return line + 3;
}

// The example as it is read on the screen.
static size_t read_example(char *out, size_t size)
{
    char line[1024];
    struct text text = text_over(out, size);
    FILE *page = fopen(SOURCE_ROOT "/config/man/mailflow-tag.7.in", "r");
    assert_non_null(page);
    bool inside = false;
    while (fgets(line, sizeof line, page) != NULL && strcmp(line, ".Ed\n") != 0) {
        if (inside) {
            append_line(join_word(line, &text), &text);
        }
        inside = inside || strcmp(line, ".Bd -literal\n") == 0;
    }
    fclose(page);
    assert_true(text.length > 0 && !text.truncated);
    return text.length;
}

static int setup(void **state)
{
    static struct recognised recognised;
    char example[4096];
    size_t length = read_example(example, sizeof example);
    assert_int_equal(recognise(example, length, false, &KEYS, &recognised), RECOGNISED_PROBE);
    *state = &recognised;
    return 0;
}

static void test_the_tag_and_its_signature(void **state)
{
    const struct recognised *recognised = *state;
    assert_false(recognised->stripped);
    assert_string_equal(recognised->tag.from, "mx02");
    assert_string_equal(recognised->tag.to, "mx01");
    assert_int_equal(recognised->tag.slot, 1041);
}

static void test_the_message_id(void **state)
{
    const struct recognised *recognised = *state;
    struct tag tag;
    struct error error = {0};
    assert_true(tag_parse_message_id(recognised->headers.message_id, &KEYS, &tag, &error));
    assert_true(probe_id_equal(&tag.id, &recognised->tag.id));
}

static void test_the_windows(void **state)
{
    const struct recognised *recognised = *state;
    const char *at = recognised->headers.values[TAG_MAINTENANCE];
    struct announced announced;
    struct error error = {0};
    assert_true(announcement_next(&at, &announced, &error));
    assert_int_equal(announced.kind, ANNOUNCED_WINDOW);
    assert_string_equal(announced.window.server, "mx02");
    assert_string_equal(announced.window.reason, "new kernel");
    assert_true(announcement_next(&at, &announced, &error));
    assert_int_equal(announced.kind, ANNOUNCED_KNOWN);
    assert_false(announcement_next(&at, &announced, &error));
    assert_string_equal(error.message, "");
}

static void test_the_receipts(void **state)
{
    const struct recognised *recognised = *state;
    struct receipts receipts;
    struct error error = {0};
    assert_true(receipts_parse(recognised->headers.values[TAG_RECEIPTS], &receipts, &error));
    assert_int_equal(receipts.count, 2);
}

static void test_the_row(void **state)
{
    const struct recognised *recognised = *state;
    struct row_reader reader = {.at = recognised->headers.values[TAG_ROW]};
    struct row_entry entry;
    assert_true(row_next(&reader, &entry));
    assert_string_equal(entry.server, "mx07");
    assert_int_equal(entry.ways[INBOUND], ROW_BAD);
    assert_int_equal(entry.ways[OUTBOUND], ROW_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_tag_and_its_signature),
        cmocka_unit_test(test_the_message_id),
        cmocka_unit_test(test_the_windows),
        cmocka_unit_test(test_the_receipts),
        cmocka_unit_test(test_the_row),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
