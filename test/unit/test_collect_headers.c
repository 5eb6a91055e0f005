// What is cut out of a header section that anyone may have written, and what it is recognised as.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"
#include "probes/collect/header_block.h"
#include "probes/collect/recognise.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct header_block headers;

static void read_text(const char *text)
{
    header_block_read(text, strlen(text), &headers);
}

static void test_unfolds_and_trims(void **state)
{
    (void)state;
    read_text("message-id:  <a@b> \r\n"
              "MAILFLOW-PROBE :v=1;\r\n\tfrom=mx02;  to=mx01;\r\n \r\n   kind=slot\t\r\n"
              "Mailflow-Row:\r\n x\r\n"
              "\r\n"
              "Mailflow-Receipts: of the body\r\n");
    assert_int_equal(headers.fault, HEADERS_SOUND);
    assert_string_equal(headers.message_id, "<a@b>");
    assert_string_equal(headers.values[TAG_PROBE], "v=1; from=mx02; to=mx01; kind=slot");
    assert_string_equal(headers.values[TAG_ROW], "x");
    assert_true(headers.has[TAG_PROBE] && headers.has[TAG_ROW]);
    assert_false(headers.has[TAG_RECEIPTS] || headers.has[TAG_SIGNATURE]);
}

static void test_ends_of_line_and_of_the_block(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "Mailflow-Row: a b\r\n\r\n",  "Mailflow-Row: a b\n\n",     "Mailflow-Row: a b\r\n",
        "Mailflow-Row: a b",          "Mailflow-Row: a\r\n b",     "Mailflow-Row: a\n\tb\n",
        "Mailflow-Row:a  b\r\n \r\n", "Mailflow-Row: a b\r\nX: y",
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        read_text(CASES[i]);
        assert_int_equal(headers.fault, HEADERS_SOUND);
        assert_string_equal(headers.values[TAG_ROW], "a b");
    }
    read_text("");
    assert_int_equal(headers.fault, HEADERS_SOUND);
    assert_false(headers.has[TAG_ROW]);
}

static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum header_block_fault fault;
    } CASES[] = {
        {"Mailflow-Row: a\r\nMailflow-Row: a\r\n", HEADERS_REPEATED},
        {"Mailflow-Row: a\r\nmailflow-row: b\r\n", HEADERS_REPEATED},
        {"Mailflow-Row\r\n", HEADERS_MALFORMED},
        {": a\r\n", HEADERS_MALFORMED},
        {"Mailflow-Row: a\x01\r\n", HEADERS_MALFORMED},
        {"Mailflow-Row: a\x7F\r\n", HEADERS_MALFORMED},
        {"Mailflow-Row: a\rb\r\n", HEADERS_MALFORMED},
        {"Mailflow-Row: a\r\r\n", HEADERS_MALFORMED},
        {"Mailflow-Rows: a\x01\r\n", HEADERS_SOUND},
        {"Subject: \x01\x02\xFF\r\n", HEADERS_SOUND},
        {"Message-ID: a\x01\r\n", HEADERS_SOUND},
        {"Mailflow-Row: \xC3\xA4\xFF\r\n", HEADERS_SOUND},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        read_text(CASES[i].text);
        assert_int_equal(headers.fault, CASES[i].fault);
    }
    header_block_read("Mailflow-Row: a\0b\r\n", 19, &headers);
    assert_int_equal(headers.fault, HEADERS_MALFORMED);
}

static void test_the_first_of_two_is_kept(void **state)
{
    (void)state;
    read_text("Mailflow-Row: a\r\nMailflow-Row: b\r\nMailflow-Probe: p\r\n");
    assert_string_equal(headers.values[TAG_ROW], "a");
    assert_string_equal(headers.values[TAG_PROBE], "p");
}

static void test_a_message_id_that_is_ambiguous_is_none(void **state)
{
    (void)state;
    read_text("Message-ID: <a@b>\r\nMessage-ID: <a@b>\r\nMessage-ID: <c@d>\r\n");
    assert_string_equal(headers.message_id, "");
}

static void test_lengths_at_the_limit(void **state)
{
    (void)state;
    for (int length = HEADER_VALUE_SIZE - 4; length < HEADER_VALUE_SIZE + 3; length++) {
        char text[HEADER_VALUE_SIZE + 64];
        char value[HEADER_VALUE_SIZE + 4] = "";
        memset(value, 'a', (size_t)length);
        snprintf(text, sizeof text, "Mailflow-Row: %s\r\nMailflow-Probe: p\r\n", value);
        read_text(text);
        bool fits = length < HEADER_VALUE_SIZE - 1;
        assert_int_equal(headers.fault, fits ? HEADERS_SOUND : HEADERS_TOO_BIG);
        assert_true(headers.has[TAG_ROW]);
        assert_string_equal(headers.values[TAG_PROBE], "p");
        if (fits) {
            assert_string_equal(headers.values[TAG_ROW], value);
        }
    }
}

// Whatever the bytes, every value ends within its array and nothing is read past the block.
static void test_any_bytes(void **state)
{
    (void)state;
    static const char *const PIECES[] = {"Mailflow-Probe",
                                         ":",
                                         " ",
                                         "\r\n",
                                         "\n",
                                         "\t",
                                         "Message-ID",
                                         "\0",
                                         "\xFF",
                                         "Mailflow-Signature",
                                         "aaaaaaaaaaaaaaaa"};
    struct random_stream random = random_stream_from(20261121);
    for (int round = 0; round < 20000; round++) {
        char bytes[512];
        size_t length = 0;
        while (length < 400 && random_stream_next(&random) % 32 != 0) {
            const char *piece = PIECES[random_stream_next(&random) % COUNT(PIECES)];
            size_t size = *piece == '\0' ? 1 : strlen(piece);
            memcpy(bytes + length, piece, size);
            length += size;
        }
        header_block_read(bytes, length, &headers);
        for (int i = 0; i < TAG_HEADERS; i++) {
            assert_true(strlen(headers.values[i]) <= length);
            assert_true(headers.has[i] || headers.values[i][0] == '\0');
        }
    }
}

// ---- recognition ----

static const struct mesh_keys KEYS = {
    .keys = {{.id = "k1", .secret = "0123456789abcdef", .secret_length = 16}}, .count = 1};

static struct recognised recognised;

// A message of ours as it is sent, and its Message-ID apart.
static void compose(char *block, size_t size, char message_id[TAG_MESSAGE_ID_SIZE])
{
    char probe[TAG_PROBE_SIZE], signature[TAG_SIGNATURE_SIZE];
    struct tag tag = {.from = "mx02", .to = "mx01", .slot = 7, .sent = {1000}};
    struct text probe_text = TEXT_OVER(probe), signature_text = TEXT_OVER(signature);
    struct text message_id_text = text_over(message_id, TAG_MESSAGE_ID_SIZE);
    tag_format_probe(&tag, &probe_text);
    struct tag_values values = {.of = {[TAG_PROBE] = probe, [TAG_ROW] = "mx03=ok"}};
    tag_sign(&values, &KEYS.keys[0], &signature_text);
    tag_format_message_id(&tag, &KEYS.keys[0], "x", &message_id_text);
    snprintf(block, size,
             "Mailflow-Probe: %s\r\nMailflow-Row: mx03=ok\r\nMailflow-Signature: %s\r\n", probe,
             signature);
}

static enum recognition recognise_text(const char *text, bool cut)
{
    return recognise(text, strlen(text), cut, &KEYS, &recognised);
}

static void test_recognises_its_own(void **state)
{
    (void)state;
    char block[1024], message_id[TAG_MESSAGE_ID_SIZE], stripped[1024];
    compose(block, sizeof block, message_id);
    assert_int_equal(recognise_text(block, false), RECOGNISED_PROBE);
    assert_false(recognised.stripped);
    assert_int_equal(recognised.tag.slot, 7);
    assert_string_equal(recognised.headers.values[TAG_ROW], "mx03=ok");

    snprintf(stripped, sizeof stripped, "Message-ID: %s\r\n", message_id);
    assert_int_equal(recognise_text(stripped, false), RECOGNISED_PROBE);
    assert_true(recognised.stripped);
    assert_int_equal(recognised.tag.slot, 7);
    assert_int_equal(recognise_text(stripped, true), RECOGNISED_PROBE);
}

static void test_a_bad_signature_is_not_saved_by_the_message_id(void **state)
{
    (void)state;
    char block[1024], message_id[TAG_MESSAGE_ID_SIZE], both[2048];
    compose(block, sizeof block, message_id);
    *strstr(block, "mx03=ok") = 'M';
    snprintf(both, sizeof both, "%sMessage-ID: %s\r\n", block, message_id);
    assert_int_equal(recognise_text(both, false), RECOGNISED_REJECTED);
    assert_int_equal(recognised.rejection, REJECTED_SIGNATURE);
    *strstr(both, "Mailflow-Signature") = 'X';
    assert_int_equal(recognise_text(both, false), RECOGNISED_PROBE);
    assert_true(recognised.stripped);
}

static void test_rejections(void **state)
{
    (void)state;
    char block[1024], message_id[TAG_MESSAGE_ID_SIZE], twice[2048];
    compose(block, sizeof block, message_id);
    snprintf(twice, sizeof twice, "%s%s", block, block);
    assert_int_equal(recognise_text(twice, false), RECOGNISED_REJECTED);
    assert_int_equal(recognised.rejection, REJECTED_MALFORMED);
    assert_int_equal(recognise_text(block, true), RECOGNISED_REJECTED);
    assert_int_equal(recognised.rejection, REJECTED_TOO_BIG);
    assert_int_equal(recognise_text("Mailflow-Probe: hello\r\n", false), RECOGNISED_REJECTED);
    assert_string_equal(recognised.cause, "not signed");
    assert_int_equal(recognise_text("Mailflow-Probe: hello\r\nMailflow-Signature: x\r\n", false),
                     RECOGNISED_REJECTED);
    assert_int_equal(recognised.rejection, REJECTED_MALFORMED);
}

static void test_strangers(void **state)
{
    (void)state;
    static const char *const CASES[] = {"", "Message-ID: <1@example.org>\r\n", "rubbish",
                                        "Mailflow-Row: x\r\nMailflow-Row: y\r\n"};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        assert_int_equal(recognise_text(CASES[i], false), RECOGNISED_FOREIGN);
        assert_int_equal(recognise_text(CASES[i], true), RECOGNISED_FOREIGN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unfolds_and_trims),
        cmocka_unit_test(test_ends_of_line_and_of_the_block),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_the_first_of_two_is_kept),
        cmocka_unit_test(test_a_message_id_that_is_ambiguous_is_none),
        cmocka_unit_test(test_lengths_at_the_limit),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_recognises_its_own),
        cmocka_unit_test(test_a_bad_signature_is_not_saved_by_the_message_id),
        cmocka_unit_test(test_rejections),
        cmocka_unit_test(test_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
