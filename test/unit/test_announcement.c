// The text in which windows travel, and what is known of them by others.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "core/acknowledgement.h"
#include "core/announcement.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct window WINDOW = {
    .id = "w-ab12",
    .revision = 3,
    .server = "mx01",
    .kind = WINDOW_EMERGENCY,
    .begin = {1767484800123456000},
    .end = {1767488400000000000},
    .by = "J\xc3\xb6rg; root@mx02",
    .reason = "50% done / w=1; \"quoted\"\n",
};

static struct announced read_one(const char *text)
{
    struct announced item;
    struct error error = {0};
    assert_true(announcement_next(&text, &item, &error));
    assert_string_equal(error.message, "");
    assert_false(announcement_next(&text, &item, &error) && error.message[0] == '\0');
    return item;
}

static void test_a_window_comes_back_as_it_was(void **state)
{
    (void)state;
    char line[400];
    struct text text = TEXT_OVER(line);
    assert_true(announcement_add_window(&text, &WINDOW));
    assert_string_equal(line, "w=w-ab12/3/mx01/e/1767484800123456/1767488400000000/"
                              "J%C3%B6rg%3B%20root@mx02/"
                              "50%25%20done%20%2F%20w%3D1%3B%20%22quoted%22%0A");
    struct announced item;
    struct error error = {0};
    const char *at = line;
    assert_true(announcement_next(&at, &item, &error));
    assert_int_equal(item.kind, ANNOUNCED_WINDOW);
    assert_string_equal(item.window.id, WINDOW.id);
    assert_int_equal(item.window.revision, 3);
    assert_string_equal(item.window.server, "mx01");
    assert_int_equal(item.window.kind, WINDOW_EMERGENCY);
    assert_false(item.window.cancelled);
    assert_int_equal(item.window.begin.ns, WINDOW.begin.ns);
    assert_int_equal(item.window.end.ns, WINDOW.end.ns);
    assert_string_equal(item.window.by, WINDOW.by);
    assert_string_equal(item.window.reason, WINDOW.reason);
    assert_false(announcement_next(&at, &item, &error));
    assert_string_equal(error.message, "");
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct kind_case {
        const char *text;
        enum window_kind kind;
        bool cancelled;
    } cases[] = {
        {"w=a/1/s/r/1/2//", WINDOW_ROUTINE, false},
        {"w=a/1/s/rc/1/1//", WINDOW_ROUTINE, true},
        {"w=a/1/s/e/1/2//", WINDOW_EMERGENCY, false},
        {"w=a/1/s/ec/1/2//", WINDOW_EMERGENCY, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct announced item = read_one(cases[i].text);
        assert_int_equal(item.window.kind, cases[i].kind);
        assert_int_equal(item.window.cancelled, cases[i].cancelled);
    }
}

static void test_a_list(void **state)
{
    (void)state;
    char line[200];
    struct text text = TEXT_OVER(line);
    assert_true(announcement_add_known(&text, "w-1", 2));
    assert_true(announcement_add_refused(&text, "w-2", 5, "it knows no server mx07"));
    assert_string_equal(line, "ack=w-1/2; no=w-2/5/it%20knows%20no%20server%20mx07");
    // As it may look after its way through mail servers, and with what a later version may add.
    const char *at = " ack=w-1/2;\r\n\tnew=1/2/3; no=w-2/5/why ";
    struct announced item;
    struct error error = {0};
    assert_true(announcement_next(&at, &item, &error));
    assert_int_equal(item.kind, ANNOUNCED_KNOWN);
    assert_string_equal(item.window.id, "w-1");
    assert_int_equal(item.window.revision, 2);
    assert_true(announcement_next(&at, &item, &error));
    assert_int_equal(item.kind, ANNOUNCED_REFUSED);
    assert_string_equal(item.window.id, "w-2");
    assert_string_equal(item.why, "why");
    assert_false(announcement_next(&at, &item, &error));
    assert_string_equal(error.message, "");
}

static void test_whole_items_only(void **state)
{
    (void)state;
    char line[40];
    struct text text = TEXT_OVER(line);
    assert_true(announcement_add_known(&text, "w-1", 1));
    assert_false(announcement_add_window(&text, &WINDOW));
    assert_string_equal(line, "ack=w-1/1");
    assert_true(announcement_add_known(&text, "w-2", 1));
    assert_string_equal(line, "ack=w-1/1; ack=w-2/1");
}

static void test_a_long_reason_is_cut(void **state)
{
    (void)state;
    char line[1000];
    struct text text = TEXT_OVER(line);
    struct window window = WINDOW;
    memset(window.reason, 'x', sizeof window.reason - 1);
    memcpy(window.reason + ANNOUNCED_REASON_MAXIMUM - 1, "\xc3\xa4", 2);
    assert_true(announcement_add_window(&text, &window));
    struct announced item = read_one(line);
    assert_int_equal(strlen(item.window.reason), ANNOUNCED_REASON_MAXIMUM - 1);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "w=",
        "w=a/1/s/r/1/2/",
        "w=a/1/s/r/1/2///",
        "w=/1/s/r/1/2//",
        "w=a.b/1/s/r/1/2//",
        "w=abcdefghijklmnopqrstuvwxyz/1/s/r/1/2//",
        "w=a/0/s/r/1/2//",
        "w=a/-1/s/r/1/2//",
        "w=a/4294967296/s/r/1/2//",
        "w=a/1/s.t/r/1/2//",
        "w=a/1//r/1/2//",
        "w=a/1/s/x/1/2//",
        "w=a/1/s//1/2//",
        "w=a/1/s/rx/1/2//",
        "w=a/1/s/rcc/1/2//",
        "w=a/1/s/r/ 1/2//",
        "w=a/1/s/r/0/2//",
        "w=a/1/s/r/1/9223372036854775807//",
        "w=a/1/s/r/1/99999999999999999999//",
        "w=a/1/s/r/1/2/%/",
        "w=a/1/s/r/1/2/%4/",
        "w=a/1/s/r/1/2/%00/",
        "w=a/1/s/r/1/2//a b",
        "ack=a",
        "ack=a/1/2",
        "ack=/1",
        "no=a/1",
        "no=a/1/012345678901234567890123456789012345678901234567",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *at = texts[i];
        struct announced item;
        struct error error = {0};
        if (announcement_next(&at, &item, &error) || error.message[0] == '\0') {
            fail_msg("taken: %s", texts[i]);
        }
    }
}

// Whatever comes, reading ends, and within the text.
static void test_noise(void **state)
{
    (void)state;
    static const char ALPHABET[] = "wackno=/;; %1aF09r-\t";
    struct random_stream random = random_stream_from(11);
    for (int round = 0; round < 20000; round++) {
        char *text = calloc(1, 64);
        size_t length = random_stream_next(&random) % 63;
        for (size_t i = 0; i < length; i++) {
            text[i] = ALPHABET[random_stream_next(&random) % (sizeof ALPHABET - 1)];
        }
        const char *at = text;
        struct announced item;
        struct error error = {0};
        int items = 0;
        while (announcement_next(&at, &item, &error)) {
            assert_true(++items < 64);
        }
        free(text);
    }
}

static void test_acknowledgements(void **state)
{
    (void)state;
    struct acknowledgements of = {0};
    struct windows windows = {0};
    assert_null(acknowledgements_find(&of, "w-05"));
    for (int i = 0; i < 40; i++) {
        char id[WINDOW_ID_SIZE];
        snprintf(id, sizeof id, "w-%02d", i * 7 % 40);
        acknowledgements_of(&of, id)->known = (uint32_t)i + 1;
        acknowledgements_of(&of, id)->refused = 1;
        struct window window = {.revision = 1, .end = {1}};
        text_copy(window.id, sizeof window.id, id);
        if (i % 2 == 0) {
            windows_put(&windows, &window);
        }
    }
    assert_int_equal(of.count, 40);
    assert_int_equal(acknowledgements_find(&of, "w-14")->known, 3);
    assert_int_equal(acknowledgements_find(&of, "w-00")->known, 1);
    assert_null(acknowledgements_find(&of, "w-40"));
    acknowledgements_forget(&of, &windows);
    assert_int_equal(of.count, 20);
    assert_int_equal(acknowledgements_find(&of, "w-14")->known, 3);
    assert_null(acknowledgements_find(&of, "w-07"));
    acknowledgements_of(&of, "w-99")->known = 1;
    assert_int_equal(of.count, 21);
    acknowledgements_free(&of);
    windows_free(&windows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_comes_back_as_it_was),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_a_list),
        cmocka_unit_test(test_whole_items_only),
        cmocka_unit_test(test_a_long_reason_is_cut),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_acknowledgements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
