// Receipts: written, read back, with and without a gap, and what is none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/receipt.h"
#include "base/tag_codec.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct receipts sample(size_t count)
{
    struct receipts receipts = {
        .as_of = walltime_from_microseconds(1795287409706397),
        .seen = walltime_from_microseconds(1795287400000000),
        .count = count,
    };
    for (size_t i = 0; i < count; i++) {
        receipts.items[i].id.bytes[0] = (uint8_t)i;
        receipts.items[i].arrived = walltime_from_microseconds(1795287409000000 - (int64_t)i);
        receipts.items[i].error = (struct span){(int64_t)i * 1000};
    }
    return receipts;
}

static void assert_read_back(const struct receipts *receipts)
{
    char written[TAG_LIST_SIZE];
    struct receipts read;
    struct error error = {""};
    struct text text = TEXT_OVER(written);
    receipts_format(receipts, &text);
    assert_false(text.truncated);
    assert_true(receipts_parse(written, &read, &error));
    assert_int_equal(read.as_of.ns, receipts->as_of.ns);
    assert_int_equal(read.seen.ns, receipts->seen.ns);
    assert_int_equal(read.gap_begin.ns, receipts->gap_begin.ns);
    assert_int_equal(read.gap_end.ns, receipts->gap_end.ns);
    assert_int_equal(read.count, receipts->count);
    for (size_t i = 0; i < read.count; i++) {
        assert_true(probe_id_equal(&read.items[i].id, &receipts->items[i].id));
        assert_int_equal(read.items[i].arrived.ns, receipts->items[i].arrived.ns);
        assert_int_equal(read.items[i].error.ns, receipts->items[i].error.ns);
    }
}

static void test_reads_back_what_it_writes(void **state)
{
    (void)state;
    for (size_t count = 0; count <= RECEIPTS_MAXIMUM; count++) {
        struct receipts receipts = sample(count);
        assert_read_back(&receipts);
        receipts.gap_begin = walltime_from_microseconds(1);
        receipts.gap_end = walltime_from_microseconds(1795287409000000);
        assert_read_back(&receipts);
        receipts.seen = WALLTIME_NONE;
        assert_read_back(&receipts);
    }
}

static void test_the_greatest_fit(void **state)
{
    (void)state;
    struct receipts receipts = sample(RECEIPTS_MAXIMUM);
    receipts.as_of.ns = receipts.seen.ns = INT64_MAX / 1000 * 1000;
    receipts.gap_begin.ns = receipts.gap_end.ns = INT64_MAX / 1000 * 1000;
    for (size_t i = 0; i < receipts.count; i++) {
        receipts.items[i].arrived = receipts.as_of;
        receipts.items[i].error.ns = INT64_MAX / 1000 * 1000;
    }
    assert_read_back(&receipts);
}

static void test_the_form(void **state)
{
    (void)state;
    char written[TAG_LIST_SIZE];
    struct receipts receipts = sample(2);
    receipts.gap_begin = walltime_from_microseconds(5);
    receipts.gap_end = walltime_from_microseconds(7);
    struct text text = TEXT_OVER(written);
    receipts_format(&receipts, &text);
    assert_string_equal(written, "as_of=1795287409706397; seen=1795287400000000; gap=5-7; "
                                 "got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1795287409000000/0 "
                                 "AEAAAAAAAAAAAAAAAAAAAAAAAA/1795287408999999/1");
}

static void test_what_a_later_version_adds_is_passed_over(void **state)
{
    (void)state;
    struct receipts read;
    struct error error = {""};
    assert_true(receipts_parse("as_of=9; seen=0; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1/2; more=so",
                               &read, &error));
    assert_int_equal(read.count, 1);
    assert_int_equal(read.items[0].arrived.ns, 1000);
    assert_int_equal(read.items[0].error.ns, 2000);
    assert_false(walltime_known(read.seen));
}

static void test_refuses_what_is_none(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        "as_of=",
        "as_of=1",
        "as_of=1; seen=",
        "as_of=1; seen=2",
        "as_of=1;seen=2; got=",
        "seen=2; as_of=1; got=",
        "as_of=-1; seen=2; got=",
        "as_of=+1; seen=2; got=",
        "as_of= 1; seen=2; got=",
        "as_of=x; seen=2; got=",
        "as_of=9223372036854776; seen=2; got=",
        "as_of=99999999999999999999; seen=2; got=",
        "as_of=1; seen=2; gap=; got=",
        "as_of=1; seen=2; gap=3; got=",
        "as_of=1; seen=2; gap=3-; got=",
        "as_of=1; seen=2; gap=3--4; got=",
        "as_of=1; seen=2; gap=4-3; got=",
        "as_of=1; seen=2; gap=3-4",
        "as_of=1; seen=2; got=x",
        "as_of=1; seen=2; got= ",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1/",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1/-2",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1/2 ",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1/2  AAAAAAAAAAAAAAAAAAAAAAAAAA/1/2",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1/2AAAAAAAAAAAAAAAAAAAAAAAAAA/1/2",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/1/2,AAAAAAAAAAAAAAAAAAAAAAAAAA/1/2",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAB/1/2",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAA1/1/2",
        "as_of=1; seen=2; got=AAAAAAAAAAAAAAAAAAAAAAAAAA/ 1/2",
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct receipts read;
        struct error error = {""};
        if (receipts_parse(CASES[i], &read, &error)) {
            fail_msg("accepted: %s", CASES[i]);
        }
        assert_string_not_equal(error.message, "");
    }
}

static void test_refuses_more_than_the_maximum(void **state)
{
    (void)state;
    char value[TAG_LIST_SIZE * 2] = "as_of=1; seen=2; got=";
    for (int i = 0; i <= RECEIPTS_MAXIMUM; i++) {
        snprintf(value + strlen(value), sizeof value - strlen(value),
                 "%sAAAAAAAAAAAAAAAAAAAAAAAAAA/1/2", i > 0 ? " " : "");
    }
    struct receipts read;
    struct error error = {""};
    assert_false(receipts_parse(value, &read, &error));
    assert_non_null(strstr(error.message, "more than 32"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_back_what_it_writes),
        cmocka_unit_test(test_the_greatest_fit),
        cmocka_unit_test(test_the_form),
        cmocka_unit_test(test_what_a_later_version_adds_is_passed_over),
        cmocka_unit_test(test_refuses_what_is_none),
        cmocka_unit_test(test_refuses_more_than_the_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
