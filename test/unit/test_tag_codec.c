// The tag: composing, signing, reading back, and everything that must not pass. The vectors come
// from test/system/tag.py, which was written from the description alone.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/tag_codec.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct mesh_key KEY = {
    .id = "k1", .secret = "0123456789abcdef0123456789abcdef", .secret_length = 32};
static const struct mesh_key OLD_KEY = {
    .id = "k0", .secret = "the key before this one", .secret_length = 23};
static const struct mesh_key STRANGER = {
    .id = "k1", .secret = "not the key of our mesh", .secret_length = 23};

static const char PROBE[] = "v=1; from=mx02; to=mx01; kind=slot; slot=1041; prev=1040; "
                            "sent=1795287409706397; err=250; next=60.000; drain=4900; "
                            "id=AAAQEAYEAUDAOCAJBIFQYDIOB4";
static const char SIGNATURE[] =
    "a=hmac-sha256; k=k1; b=uSMSJy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X0wc=";
static const char MESSAGE_ID[] = "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.1041.1795287409706397."
                                 "HETH2KXAZW7UE2A2HOKA@mx02.example>";

static struct mesh_keys keys_of(const struct mesh_key *first, const struct mesh_key *second)
{
    struct mesh_keys keys = {.keys = {*first}, .count = 1};
    if (second != NULL) {
        keys.keys[keys.count++] = *second;
    }
    return keys;
}

static struct tag sample(void)
{
    struct tag tag = {
        .from = "mx02",
        .to = "mx01",
        .kind = PROBE_SLOT,
        .slot = 1041,
        .previous = 1040,
        .sent = walltime_from_microseconds(1795287409706397),
        .error = {250000},
        .next = SPAN_SECONDS(60),
        .drain = SPAN_SECONDS(4900),
    };
    for (uint8_t i = 0; i < sizeof tag.id.bytes; i++) {
        tag.id.bytes[i] = i;
    }
    return tag;
}

static struct tag_values signed_values(void)
{
    struct tag_values values = {{NULL}};
    values.of[TAG_PROBE] = PROBE;
    values.of[TAG_MAINTENANCE] = "w=1";
    values.of[TAG_ROW] = "mx03=ok";
    values.of[TAG_SIGNATURE] = SIGNATURE;
    return values;
}

static void assert_tags_equal(const struct tag *a, const struct tag *b)
{
    assert_string_equal(a->from, b->from);
    assert_string_equal(a->to, b->to);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->slot, b->slot);
    assert_int_equal(a->previous, b->previous);
    assert_int_equal(a->sent.ns, b->sent.ns);
    assert_int_equal(a->error.ns, b->error.ns);
    assert_int_equal(a->next.ns, b->next.ns);
    assert_int_equal(a->drain.ns, b->drain.ns);
    assert_true(probe_id_equal(&a->id, &b->id));
}

static void test_composes_the_vectors(void **state)
{
    (void)state;
    char written[TAG_MESSAGE_ID_SIZE];
    struct tag tag = sample();
    struct tag_values values = signed_values();
    struct text probe = TEXT_OVER(written);
    tag_format_probe(&tag, &probe);
    assert_string_equal(written, PROBE);
    struct text signature = TEXT_OVER(written);
    tag_sign(&values, &KEY, &signature);
    assert_string_equal(written, SIGNATURE);
    struct text message_id = TEXT_OVER(written);
    tag_format_message_id(&tag, &KEY, "mx02.example", &message_id);
    assert_string_equal(written, MESSAGE_ID);
}

static void test_reads_back_what_it_composes(void **state)
{
    (void)state;
    struct tag extremes = sample();
    extremes.kind = PROBE_HAND;
    extremes.slot = INT64_MAX;
    extremes.previous = 0;
    extremes.sent.ns = INT64_MAX / 1000 * 1000;
    extremes.error = SPAN_ZERO;
    extremes.next = (struct span){1000000};
    extremes.drain = SPAN_HOURS(24 * 366);
    memset(extremes.from, 'A', SERVER_NAME_SIZE - 1);
    const struct tag cases[] = {sample(), extremes};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char written[TAG_PROBE_SIZE];
        struct tag read;
        struct error error = {""};
        struct text text = TEXT_OVER(written);
        tag_format_probe(&cases[i], &text);
        assert_false(text.truncated);
        assert_true(tag_parse_probe(written, &read, &error));
        assert_tags_equal(&read, &cases[i]);
    }
}

static void test_every_kind_has_a_name(void **state)
{
    (void)state;
    for (int kind = PROBE_SLOT; kind <= PROBE_HAND; kind++) {
        enum probe_kind read;
        assert_true(probe_kind_parse(probe_kind_name((enum probe_kind)kind), &read));
        assert_int_equal(read, kind);
    }
    enum probe_kind none;
    assert_false(probe_kind_parse("slots", &none));
    assert_false(probe_kind_parse("", &none));
}

static void test_server_names(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"mx01", "a", "MX_2-b", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const BAD[] = {"",
                                      "mx.01",
                                      "mx 01",
                                      "mx/01",
                                      "m\xC3\xA4il",
                                      "mx\n01",
                                      "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < COUNT(GOOD); i++) {
        assert_true(server_name_valid(GOOD[i]));
    }
    for (size_t i = 0; i < COUNT(BAD); i++) {
        assert_false(server_name_valid(BAD[i]));
    }
}

// Fields may come in any order, with any white space after the semicolons, and with others between.
static void test_reads_other_orders_and_unknown_fields(void **state)
{
    (void)state;
    struct tag read, expected = sample();
    struct error error = {""};
    assert_true(tag_parse_probe("id=AAAQEAYEAUDAOCAJBIFQYDIOB4;drain=4900;next=60;err=250;\t"
                                "sent=1795287409706397;  color=blue; prev=1040; slot=1041;\r\n "
                                "kind=slot; to=mx01; from=mx02; v=1;",
                                &read, &error));
    assert_tags_equal(&read, &expected);
}

static void test_refuses_malformed_fields(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
    } CHANGES[] = {
        {"v=1", "v=2"},
        {"v=1; ", ""},
        {"v=1", "v=1; v=1"},
        {"from=mx02; ", ""},
        {"from=mx02", "from="},
        {"from=mx02", "from=mx.02"},
        {"from=mx02", "from=mx02; from=mx03"},
        {"from=mx02", "from=abcdefghijklmnopqrstuvwxyz0123456"},
        {"from=mx02", "From=mx02"},
        {"to=mx01; ", ""},
        {"to=mx01", "to=\xFFmx"},
        {"kind=slot; ", ""},
        {"kind=slot", "kind=Slot"},
        {"slot=1041; ", ""},
        {"slot=1041", "slot=-1"},
        {"slot=1041", "slot=+1"},
        {"slot=1041", "slot= 1"},
        {"slot=1041", "slot=0x11"},
        {"slot=1041", "slot=9223372036854775808"},
        {"slot=1041", "slot=1041 "},
        {"slot=1041", "slot="},
        {"prev=1040; ", ""},
        {"prev=1040", "prev=a"},
        {"sent=1795287409706397; ", ""},
        {"sent=1795287409706397", "sent=9223372036854776"},
        {"sent=1795287409706397", "sent=1e15"},
        {"err=250; ", ""},
        {"err=250", "err=-250"},
        {"next=60.000; ", ""},
        {"next=60.000", "next=.5"},
        {"next=60.000", "next=1.2.3"},
        {"next=60.000", "next=nan"},
        {"next=60.000", "next=1e3"},
        {"next=60.000", "next=0x10"},
        {"next=60.000", "next=31622401"},
        {"next=60.000", "next=999999999999999999999999999999999999999999999999999999999999999"},
        {"drain=4900; ", ""},
        {"drain=4900", "drain=-1"},
        {"; id=AAAQEAYEAUDAOCAJBIFQYDIOB4", ""},
        {"id=AAAQEAYEAUDAOCAJBIFQYDIOB4", "id=AAAQEAYEAUDAOCAJBIFQYDIOB"},
        {"id=AAAQEAYEAUDAOCAJBIFQYDIOB4", "id=AAAQEAYEAUDAOCAJBIFQYDIOB5"},
        {"id=AAAQEAYEAUDAOCAJBIFQYDIOB4", "id=AAAQEAYEAUDAOCAJBIFQYDIO84"},
    };
    for (size_t i = 0; i < COUNT(CHANGES); i++) {
        char changed[TAG_PROBE_SIZE * 2];
        struct tag read;
        struct error error = {""};
        const char *at = strstr(PROBE, CHANGES[i].from);
        assert_non_null(at);
        snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - PROBE), PROBE, CHANGES[i].to,
                 at + strlen(CHANGES[i].from));
        if (tag_parse_probe(changed, &read, &error)) {
            fail_msg("accepted: %s", changed);
        }
        assert_string_not_equal(error.message, "");
    }
}

static void test_verifies_by_any_of_its_keys(void **state)
{
    (void)state;
    struct error error = {""};
    struct tag_values values = signed_values();
    struct mesh_keys both = keys_of(&OLD_KEY, &KEY), old = keys_of(&OLD_KEY, NULL);
    struct mesh_keys stranger = keys_of(&STRANGER, NULL), none = {.count = 0};
    assert_true(tag_verify(&values, &both, &error));
    assert_false(tag_verify(&values, &old, &error));
    assert_string_equal(error.message, "signed with a key that is not ours");
    assert_false(tag_verify(&values, &none, &error));
    assert_false(tag_verify(&values, &stranger, &error));
    assert_string_equal(error.message, "the signature does not match");
}

static void test_white_space_may_change_on_the_way(void **state)
{
    (void)state;
    struct error error = {""};
    struct mesh_keys keys = keys_of(&KEY, NULL);
    struct tag_values values = signed_values();
    values.of[TAG_PROBE] = "  v=1;  from=mx02; to=mx01;\tkind=slot; slot=1041;\r\n\tprev=1040; "
                           "sent=1795287409706397; err=250; next=60.000;\r\n drain=4900; "
                           "id=AAAQEAYEAUDAOCAJBIFQYDIOB4 \r\n";
    values.of[TAG_ROW] = "\tmx03=ok ";
    assert_true(tag_verify(&values, &keys, &error));
    values.of[TAG_ROW] = "mx 03=ok";
    assert_false(tag_verify(&values, &keys, &error));
}

static void test_no_list_may_be_added_dropped_or_moved(void **state)
{
    (void)state;
    struct error error = {""};
    struct mesh_keys keys = keys_of(&KEY, NULL);
    struct tag_values dropped = signed_values(), added = signed_values(), moved = signed_values();
    dropped.of[TAG_ROW] = NULL;
    added.of[TAG_RECEIPTS] = "";
    moved.of[TAG_RECEIPTS] = moved.of[TAG_ROW];
    moved.of[TAG_ROW] = NULL;
    assert_false(tag_verify(&dropped, &keys, &error));
    assert_false(tag_verify(&added, &keys, &error));
    assert_false(tag_verify(&moved, &keys, &error));
}

// Every single bit of every header, the signature included.
static void test_no_bit_may_change(void **state)
{
    (void)state;
    struct error error = {""};
    struct mesh_keys keys = keys_of(&KEY, NULL);
    const struct tag_values original = signed_values();
    for (int header = 0; header < TAG_HEADERS; header++) {
        size_t length = original.of[header] == NULL ? 0 : strlen(original.of[header]);
        for (size_t bit = 0; bit < length * 8; bit++) {
            char changed[TAG_PROBE_SIZE];
            struct tag_values values = original;
            memcpy(changed, original.of[header], length + 1);
            changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
            values.of[header] = changed;
            if (tag_verify(&values, &keys, &error)) {
                fail_msg("accepted: %s", changed);
            }
        }
    }
}

static void test_refuses_malformed_signatures(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        "a=hmac-sha256; k=k1",
        "a=hmac-sha256; k=k1; b=",
        "a=hmac-sha1; k=k1; b=uSMSJy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X0wc=",
        "k=k1; b=uSMSJy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X0wc=",
        "a=hmac-sha256; b=uSMSJy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X0wc=",
        "a=hmac-sha256; k=k1; b=uSMSJy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X0wc",
        "a=hmac-sha256; k=k1; b=uSMSJy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X",
        "a=hmac-sha256; k=k1; b=uSMSJy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X0wcAAAAA",
        "a=hmac-sha256; k=k1; k=k1; b=uSMSJy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X0wc=",
        "a=hmac-sha256; k=k1; b=%%%%Jy6Cy/ZqjKCKXZbJ9HfUbj7yZSo5sCv5/m8X0wc=",
    };
    struct mesh_keys keys = keys_of(&KEY, NULL);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct error error = {""};
        struct tag_values values = signed_values();
        values.of[TAG_SIGNATURE] = CASES[i];
        assert_false(tag_verify(&values, &keys, &error));
        assert_string_equal(error.message, "the signature is malformed");
    }
    struct error error = {""};
    struct tag_values bare = signed_values(), unsigned_values = signed_values();
    bare.of[TAG_PROBE] = NULL;
    unsigned_values.of[TAG_SIGNATURE] = NULL;
    assert_false(tag_verify(&bare, &keys, &error));
    assert_false(tag_verify(&unsigned_values, &keys, &error));
    assert_string_equal(error.message, "not signed");
}

static void test_message_id_stands_for_the_tag(void **state)
{
    (void)state;
    struct tag read, expected = sample();
    struct error error;
    struct mesh_keys keys = keys_of(&OLD_KEY, &KEY);
    expected.previous = 0;
    expected.error = expected.next = expected.drain = SPAN_ZERO;
    assert_true(tag_parse_message_id(MESSAGE_ID, &keys, &read, &error));
    assert_tags_equal(&read, &expected);
}

static void test_message_id_without_a_slot_is_by_hand(void **state)
{
    (void)state;
    char written[TAG_MESSAGE_ID_SIZE];
    struct tag read, tag = sample();
    struct error error;
    struct mesh_keys keys = keys_of(&KEY, NULL);
    struct text text = TEXT_OVER(written);
    tag.slot = 0;
    tag_format_message_id(&tag, &KEY, "x", &text);
    assert_true(tag_parse_message_id(written, &keys, &read, &error));
    assert_int_equal(read.kind, PROBE_HAND);
}

static void test_message_ids_of_strangers_are_no_error(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        "<>",
        "<@>",
        "<20261121.1234@example.org>",
        "<a.b.c.d.e.f@g>",
        "<.....@x>",
        "AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.1041.1795287409706397.HETH2KXAZW7UE2A2HOKA@x",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.1041.1795287409706397.HETH2KXAZW7UE2A2HOKA@>",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.1041.1795287409706397.HETH2KXAZW7UE2A2HOKA@x",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.1041.1795287409706397.HETH2KXAZW7UE2A2HOKA@x> y",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.1041.1795287409706397.HETH2KXAZW7UE2A2HOKA",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.1041.1795287409706397@HETH2KXAZW7UE2A2HOKA>",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.x.1041.1795287409706397.HETH2KXAZW7UE2A2HOKA@x>",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.-1.1795287409706397.HETH2KXAZW7UE2A2HOKA@x>",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02.mx01.1041.1795287409706397.HETH2KXAZW7UE2A2HOK1@x>",
        "<AAAQEAYEAUDAOCAJBIFQYDIOB4.mx02..1041.1795287409706397.HETH2KXAZW7UE2A2HOKA@x>",
    };
    struct mesh_keys keys = keys_of(&KEY, NULL);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct tag read;
        struct error error = {"something"};
        if (tag_parse_message_id(CASES[i], &keys, &read, &error)) {
            fail_msg("accepted: %s", CASES[i]);
        }
        assert_string_equal(error.message, "");
    }
    char long_one[4096];
    struct tag read;
    struct error error;
    memset(long_one, 'a', sizeof long_one);
    memcpy(long_one + sizeof long_one - 4, "@x>", 4);
    long_one[0] = '<';
    assert_false(tag_parse_message_id(long_one, &keys, &read, &error));
}

static void test_no_bit_of_the_message_id_may_change(void **state)
{
    (void)state;
    struct tag read;
    struct error error;
    struct mesh_keys keys = keys_of(&KEY, NULL);
    size_t at_sign = strcspn(MESSAGE_ID, "@");
    for (size_t bit = 0; bit < at_sign * 8; bit++) {
        char changed[sizeof MESSAGE_ID];
        memcpy(changed, MESSAGE_ID, sizeof changed);
        changed[bit / 8] = (char)(changed[bit / 8] ^ (1 << bit % 8));
        // The MAC itself may be written in either case.
        bool is_case = bit % 8 == 5 && bit / 8 > at_sign - 21 && isalpha(changed[bit / 8]);
        if (tag_parse_message_id(changed, &keys, &read, &error) != is_case) {
            fail_msg("%s: %s", is_case ? "refused" : "accepted", changed);
        }
    }
}

static void test_message_id_by_another_key_is_an_error(void **state)
{
    (void)state;
    struct tag read;
    struct error error = {""};
    struct mesh_keys keys = keys_of(&STRANGER, &OLD_KEY);
    assert_false(tag_parse_message_id(MESSAGE_ID, &keys, &read, &error));
    assert_string_equal(error.message, "the MAC of the Message-ID does not match");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_composes_the_vectors),
        cmocka_unit_test(test_reads_back_what_it_composes),
        cmocka_unit_test(test_every_kind_has_a_name),
        cmocka_unit_test(test_server_names),
        cmocka_unit_test(test_reads_other_orders_and_unknown_fields),
        cmocka_unit_test(test_refuses_malformed_fields),
        cmocka_unit_test(test_verifies_by_any_of_its_keys),
        cmocka_unit_test(test_white_space_may_change_on_the_way),
        cmocka_unit_test(test_no_list_may_be_added_dropped_or_moved),
        cmocka_unit_test(test_no_bit_may_change),
        cmocka_unit_test(test_refuses_malformed_signatures),
        cmocka_unit_test(test_message_id_stands_for_the_tag),
        cmocka_unit_test(test_message_id_without_a_slot_is_by_hand),
        cmocka_unit_test(test_message_ids_of_strangers_are_no_error),
        cmocka_unit_test(test_no_bit_of_the_message_id_may_change),
        cmocka_unit_test(test_message_id_by_another_key_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
