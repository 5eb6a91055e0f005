// The watch over what a server sends, and what is known of a folder.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probes/collect/folder.h"
#include "probes/collect/wire_guard.h"

static struct wire_guard guard;

static bool feed(const char *text)
{
    struct error error = {""};
    return wire_guard_feed(&guard, text, strlen(text), &error);
}

static int set_up(void **state)
{
    (void)state;
    memset(&guard, 0, sizeof guard);
    return 0;
}

static void fill(char *out, size_t size, char with)
{
    memset(out, with, size - 1);
    out[size - 1] = '\0';
}

static void test_nesting_within_one_line(void **state)
{
    (void)state;
    char deep[WIRE_NESTING_MAXIMUM + 1];
    fill(deep, sizeof deep, '(');
    assert_true(feed(deep));
    assert_false(feed("("));
}

static void test_each_line_begins_anew(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(feed("* OK (((\r\n"));
    }
    for (int i = 0; i < 1000; i++) {
        assert_true(feed("()"));
    }
    assert_true(feed(")))))))))))))))))\r\n"));
}

// What a sender of mail wrote comes as a literal, and must not end the connection.
static void test_literals_are_not_looked_into(void **state)
{
    (void)state;
    char mail[8193], announced[64];
    fill(mail, sizeof mail, '(');
    snprintf(announced, sizeof announced, "* 1 FETCH (BODY[] {%zu}\r\n", sizeof mail - 1);
    assert_true(feed(announced));
    assert_true(feed(mail));
    assert_true(feed(" UID 7)\r\n"));
    assert_true(feed("* 2 FETCH (BODY[] {3+}\r\n(((((("));
    assert_int_equal(guard.nesting, 1 + 3);
}

static void test_a_literal_of_nothing(void **state)
{
    (void)state;
    assert_true(feed("* 1 FETCH (BODY[] {0}\r\n (\r\n7 OK\r\n"));
    assert_string_equal(guard.tagged, "7 OK");
}

static void test_literals_have_a_size(void **state)
{
    (void)state;
    assert_true(feed("{8192}\r\n"));
    set_up(NULL);
    assert_false(feed("{8193}\r\n"));
    set_up(NULL);
    assert_false(feed("{99999999999999999999999999999999999999}\r\n"));
}

static void test_what_only_looks_like_a_literal(void **state)
{
    (void)state;
    static const char *const CASES[] = {"{99999} \r\n", "{99999}x\r\n", "{99999\r\n",
                                        "99999}\r\n",   "{x}\r\n",      "{9999 9}\r\n"};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        assert_true(feed(CASES[i]));
        assert_int_equal(guard.literal_left, 0);
    }
}

// The same, whatever the pieces it comes in.
static void test_pieces(void **state)
{
    (void)state;
    static const char TEXT[] =
        "* OK hi\r\n* 1 FETCH (X {5}\r\n(\r\n((Y)\r\n12 NO [A] b\r\n* BYE c\r\n";
    for (size_t size = 1; size < sizeof TEXT; size++) {
        struct error error = {""};
        set_up(NULL);
        for (size_t at = 0; at < sizeof TEXT - 1; at += size) {
            size_t left = sizeof TEXT - 1 - at;
            assert_true(wire_guard_feed(&guard, TEXT + at, left < size ? left : size, &error));
        }
        assert_string_equal(guard.tagged, "12 NO [A] b");
        assert_string_equal(guard.bye, "* BYE c");
        assert_int_equal(guard.literal_left, 0);
    }
}

static void test_long_lines_are_kept_in_part(void **state)
{
    (void)state;
    char line[1000];
    fill(line, sizeof line, '9');
    assert_true(feed(line));
    assert_true(feed("\r\n"));
    assert_int_equal(strlen(guard.tagged), WIRE_LINE_KEPT - 1);
}

static void test_doomed_messages_are_kept_once(void **state)
{
    (void)state;
    struct folder folder = folder_of("INBOX");
    folder.uid_validity = 7;
    folder.next_uid = 100;
    folder.ours = 3;
    folder_doom(&folder, (const uint32_t[]){5, 6, 5}, 3);
    folder_doom(&folder, (const uint32_t[]){6, 9}, 2);
    assert_int_equal(folder.doomed_count, 3);
    assert_true(folder_is_doomed(&folder, 9));
    assert_false(folder_is_doomed(&folder, 7));
    folder_drop_doomed(&folder, 2);
    assert_int_equal(folder.doomed_count, 1);
    assert_int_equal(folder.doomed[0], 9);
    assert_int_equal(folder.ours, 1);
    folder_doom(&folder, (const uint32_t[]){10, 11}, 2);
    folder_drop_doomed(&folder, 3);
    assert_int_equal(folder.ours, 0);
    assert_int_equal(folder.next_uid, 100);
}

static void test_too_many_doomed_messages_are_read_anew(void **state)
{
    (void)state;
    struct folder folder = folder_of("INBOX");
    folder.uid_validity = 7;
    folder.next_uid = 1000;
    folder.checked.instant.ns = 1;
    for (uint32_t uid = 1; uid <= FOLDER_DOOMED_MAXIMUM; uid++) {
        folder_doom(&folder, &uid, 1);
    }
    assert_int_equal(folder.next_uid, 1000);
    folder_doom(&folder, &(uint32_t){999}, 1);
    assert_int_equal(folder.doomed_count, 0);
    assert_int_equal(folder.next_uid, 1);
    assert_int_equal(folder.uid_validity, 7);
    assert_int_equal(folder.checked.instant.ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nesting_within_one_line, set_up),
        cmocka_unit_test_setup(test_each_line_begins_anew, set_up),
        cmocka_unit_test_setup(test_literals_are_not_looked_into, set_up),
        cmocka_unit_test_setup(test_a_literal_of_nothing, set_up),
        cmocka_unit_test_setup(test_literals_have_a_size, set_up),
        cmocka_unit_test_setup(test_what_only_looks_like_a_literal, set_up),
        cmocka_unit_test_setup(test_pieces, set_up),
        cmocka_unit_test_setup(test_long_lines_are_kept_in_part, set_up),
        cmocka_unit_test(test_doomed_messages_are_kept_once),
        cmocka_unit_test(test_too_many_doomed_messages_are_read_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
