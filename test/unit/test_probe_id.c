// Probe identities and base32 (RFC 4648 section 10 has the vectors).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/probe_id.h"
#include "base/random.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void test_base32_of_the_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *text;
    } VECTORS[] = {
        {"", ""},
        {"f", "MY"},
        {"fo", "MZXQ"},
        {"foo", "MZXW6"},
        {"foob", "MZXW6YQ"},
        {"fooba", "MZXW6YTB"},
        {"foobar", "MZXW6YTBOI"},
    };
    for (size_t i = 0; i < COUNT(VECTORS); i++) {
        char text[32];
        uint8_t bytes[8];
        size_t count = strlen(VECTORS[i].bytes);
        base32_encode((const uint8_t *)VECTORS[i].bytes, count, text);
        assert_string_equal(text, VECTORS[i].text);
        assert_true(base32_decode(text, strlen(text), bytes, count));
        assert_memory_equal(bytes, VECTORS[i].bytes, count);
    }
}

static void test_base32_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count;
    } CASES[] = {
        {"MZXW6", 2},    // too long
        {"MZXW", 3},     // too short
        {"MZXW6===", 3}, // padded
        {"MZX06", 3},    // 0 is not in the alphabet
        {"MZXW ", 3},    // nor is a blank
        {"MZXW\xC3", 3}, // nor anything else
        {"MZ", 1},       // bits beyond the byte
        {"MZXW7", 3},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        uint8_t bytes[8];
        if (base32_decode(CASES[i].text, strlen(CASES[i].text), bytes, CASES[i].count)) {
            fail_msg("accepted '%s' for %zu bytes", CASES[i].text, CASES[i].count);
        }
    }
}

static void test_base32_stops_at_the_length_given(void **state)
{
    (void)state;
    uint8_t bytes[1];
    assert_true(base32_decode("MYgarbage", 2, bytes, 1));
    assert_int_equal(bytes[0], 'f');
    assert_false(base32_decode("M\0Y", 2, bytes, 1));
}

static void test_identities_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct probe_id id, back;
        char text[PROBE_ID_TEXT];
        random_bytes(id.bytes, sizeof id.bytes);
        assert_ptr_equal(probe_id_format(&id, text), text);
        assert_int_equal(strlen(text), PROBE_ID_TEXT - 1);
        assert_true(probe_id_parse(text, &back));
        assert_true(probe_id_equal(&id, &back));
    }
}

static void test_either_case_is_read(void **state)
{
    (void)state;
    struct probe_id upper, lower;
    assert_true(probe_id_parse("ABCDEFGHIJKLMNOPQRSTUVWXY4", &upper));
    assert_true(probe_id_parse("abcdefghijklmnopqrstuvwxy4", &lower));
    assert_true(probe_id_equal(&upper, &lower));
    lower.bytes[15] ^= 1;
    assert_false(probe_id_equal(&upper, &lower));
}

static void test_what_is_no_identity_is_refused(void **state)
{
    (void)state;
    struct probe_id id;
    assert_false(probe_id_parse("", &id));
    assert_false(probe_id_parse("ABCDEFGHIJKLMNOPQRSTUVWXY", &id));
    assert_false(probe_id_parse("ABCDEFGHIJKLMNOPQRSTUVWXY4A", &id));
    assert_false(probe_id_parse("ABCDEFGHIJKLMNOPQRSTUVWXYZ", &id)); // unused bits set
    assert_false(probe_id_parse("ABCDEFGHIJKLMNOPQRSTUVWX14", &id));
}

static void test_a_prefix_is_a_range(void **state)
{
    (void)state;
    struct probe_id id, least, greatest;
    char text[PROBE_ID_TEXT], from[PROBE_ID_TEXT], to[PROBE_ID_TEXT];
    random_bytes(id.bytes, sizeof id.bytes);
    probe_id_format(&id, text);
    for (size_t length = sizeof text - 1; length > 0; length--) {
        text[length] = '\0';
        assert_true(probe_id_parse_prefix(text, &least, &greatest));
        assert_true(memcmp(&least, &id, sizeof id) <= 0);
        assert_true(memcmp(&greatest, &id, sizeof id) >= 0);
        probe_id_format(&least, from);
        probe_id_format(&greatest, to);
        assert_memory_equal(from, text, length);
        assert_memory_equal(to, text, length);
    }
    static const char *const REFUSED[] = {"", "MZX0", "AAAAAAAAAAAAAAAAAAAAAAAAAAA", "MZX "};
    for (size_t i = 0; i < COUNT(REFUSED); i++) {
        assert_false(probe_id_parse_prefix(REFUSED[i], &least, &greatest));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base32_of_the_rfc),
        cmocka_unit_test(test_base32_refuses),
        cmocka_unit_test(test_base32_stops_at_the_length_given),
        cmocka_unit_test(test_identities_round_trip),
        cmocka_unit_test(test_a_prefix_is_a_range),
        cmocka_unit_test(test_either_case_is_read),
        cmocka_unit_test(test_what_is_no_identity_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
