// Reports of delivery, as each server writes them: what they say, and which probe they are about.
// In bounces/ as files; {message-id}, {envelope} and {message-id-base64} stand for the probe's.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <nettle/base64.h>

#include "base/error.h"
#include "base/random.h"
#include "probes/collect/dsn.h"
#include "probes/collect/returned.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { FIXTURE_SIZE = 16384, MUTATIONS = 40000 };

static struct mesh_keys keys(void)
{
    struct mesh_keys keys = {.count = 1};
    text_copy(keys.keys[0].id, sizeof keys.keys[0].id, "k1");
    keys.keys[0].secret_length = 32;
    memset(keys.keys[0].secret, 7, 32);
    return keys;
}

static struct tag probe(void)
{
    struct tag tag = {.from = "mx02", .to = "mx01", .slot = 1041, .sent = {1795265340000000000}};
    memset(tag.id.bytes, 0xA5, sizeof tag.id.bytes);
    return tag;
}

// ---- fixtures ----

static void append_placeholder(const char *name, struct text *out)
{
    const struct mesh_keys mesh = keys();
    const struct tag tag = probe();
    char id[PROBE_ID_TEXT], message_id[TAG_MESSAGE_ID_SIZE], encoded[1024];
    struct text text = TEXT_OVER(message_id);
    tag_format_message_id(&tag, &mesh.keys[0], "mx02.example", &text);
    if (strcmp(name, "message-id") == 0) {
        text_append(out, message_id);
    } else if (strcmp(name, "envelope") == 0) {
        text_append(out, probe_id_format(&tag.id, id));
    } else {
        char header[TAG_MESSAGE_ID_SIZE + 32];
        snprintf(header, sizeof header, "Message-ID: %s\r\n\r\n", message_id);
        base64_encode_raw(encoded, strlen(header), (const uint8_t *)header);
        encoded[BASE64_ENCODE_RAW_LENGTH(strlen(header))] = '\0';
        text_append(out, encoded);
    }
}

// With the line ends of mail; returns its length.
static size_t load(const char *name, char message[FIXTURE_SIZE])
{
    char path[512];
    struct text out = text_over(message, FIXTURE_SIZE);
    snprintf(path, sizeof path, "%s/test/unit/bounces/%s.eml", SOURCE_ROOT, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;) {
        char byte = (char)c, placeholder[32] = "";
        if (c == '\n') {
            text_append(&out, "\r\n");
        } else if (c == '{' && fscanf(file, "%31[a-z0-9-]}", placeholder) == 1) {
            append_placeholder(placeholder, &out);
        } else {
            text_append_bytes(&out, &byte, 1);
        }
    }
    fclose(file);
    assert_false(out.truncated);
    return out.length;
}

// ---- each form ----

static const struct expected {
    const char *name;
    enum returned_identity identity;
    struct bounce bounce;
} EXPECTED[] = {
    {"postfix_failed",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "mx01.example",
      "550 5.1.1 <probe@mx01.example>: Recipient address rejected: User unknown in virtual mailbox "
      "table",
      "probe@mx01.example", "probe@mx01.example"}},
    {"postfix_delayed",
     RETURNED_VERIFIED,
     {BOUNCE_DELAYED, "4.4.1", "mx02.example",
      "connect to mx01.example[192.0.2.1]:25: Connection refused", "probe@mx01.example", ""}},
    {"postfix_relayed",
     RETURNED_VERIFIED,
     {BOUNCE_OTHER, "2.0.0", "mx01.example", "250 2.0.0 Ok: queued as 4Fz1kd1bTzz3b",
      "probe@mx01.example", ""}},
    {"postfix_text",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "mx01.example",
      "host mx01.example[192.0.2.1] said: 550 5.1.1 <nobody@mx01.example>: Recipient address "
      "rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)",
      "nobody@mx01.example", ""}},
    {"exim_failed",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "mx01.example",
      "550 5.1.1 <nobody@mx01.example>: Recipient address rejected: User unknown in virtual "
      "mailbox table",
      "nobody@mx01.example", ""}},
    {"exim_unrouteable",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.0.0", "mx02.example", "Unrouteable address", "nobody@mx02.example", ""}},
    {"exim_delayed",
     RETURNED_VERIFIED,
     {BOUNCE_DELAYED, "4.0.0", "mx02.example", "", "probe@mx01.example", ""}},
    {"exim_text",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.2.2", "mx01.example",
      "SMTP error from remote mailer after RCPT TO:<probe@mx01.example>: host mx01.example "
      "[192.0.2.1]: 550 5.2.2 mailbox is full",
      "probe@mx01.example", ""}},
    {"exim_text_delayed",
     RETURNED_VERIFIED,
     {BOUNCE_DELAYED, "", "", "Delay reason: Connection refused", "probe@mx01.example", ""}},
    {"opensmtpd_failed",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "mx02.example",
      "550 5.1.1 <nobody@mx01.example>: Recipient address rejected: User unknown in virtual "
      "mailbox table",
      "nobody@mx01.example", ""}},
    {"opensmtpd_delayed",
     RETURNED_VERIFIED,
     {BOUNCE_DELAYED, "4.0.0", "mx02.example", "Connection closed unexpectedly",
      "probe@mx01.example", ""}},
    {"sendmail_failed",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "mx01.example", "550 5.1.1 <probe@mx01.example>... User unknown",
      "probe@mx01.example", ""}},
    {"sendmail_text",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "", "mx01.example",
      "----- Transcript of session follows ----- ... while talking to mx01.example.: >>> RCPT "
      "To:<probe@mx01.example> <<< 550 <probe@mx01.example>... User unknown 550 "
      "<probe@mx01.example>... User unknown",
      "probe@mx01.example", ""}},
    {"exchange_failed",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.10", "EX01.mx01.example",
      "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
      "probe@mx01.example", "probe@mx01.example"}},
    {"exchange_answer_only",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.2.2", "EX01.mx01.example", "554 5.2.2 mailbox full", "probe@mx01.example",
      ""}},
    {"gmail_failed",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "gmail-smtp-in.l.google.com",
      "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
      "double-checking the recipient's email address for typos or 550 5.1.1 unnecessary spaces.",
      "someone@example.com", ""}},
    {"gmail_text",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "",
      "Technical details of permanent failure: Google tried to deliver your message, but it was "
      "rejected by the recipient domain. The error that the other server returned was: 550 550 "
      "5.1.1 User unknown (state 14).",
      "someone@example.com", ""}},
    {"qmail",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "",
      "192.0.2.1 does not like recipient. Remote host said: 550 5.1.1 sorry, no mailbox here by "
      "that name (#5.1.1 - chkuser) Giving up on 192.0.2.1.",
      "probe@mx01.example", ""}},
    {"encoded",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.7.1", "mx01.example",
      "550 5.7.1 Nachricht abgelehnt: gr\xC3\xBC\xC3\x9F"
      "e ??[31m aus K\xC3\xB6ln",
      "probe@mx01.example", ""}},
    {"envelope_only",
     RETURNED_CLAIMED,
     {BOUNCE_FAILED, "5.2.2", "mx01.example",
      "552 5.2.2 <second@mx01.example> Quota exceeded (mailbox for user is full)",
      "second@mx01.example", ""}},
    {"envelope_contradicted",
     RETURNED_FOREIGN,
     {BOUNCE_FAILED, "5.1.1", "elsewhere.example", "550 5.1.1 unknown", "probe@mx01.example", ""}},
    {"commented",
     RETURNED_VERIFIED,
     {BOUNCE_FAILED, "5.1.1", "mx01.example", "550 5.1.1 unknown", "alias@mx01.example",
      "probe@mx01.example"}},
    {"nested",
     RETURNED_FOREIGN,
     {BOUNCE_FAILED, "5.1.1", "mx03.example", "550 5.1.1 unknown", "probe@mx02.example", ""}},
    {"strangers",
     RETURNED_FOREIGN,
     {BOUNCE_FAILED, "5.1.1", "mx02.example", "", "someone@mx01.example", ""}},
};

static void assert_bounce(const char *name, const struct bounce *expected, const struct bounce *is)
{
    if (expected->action != is->action || strcmp(expected->status, is->status) != 0 ||
        strcmp(expected->remote_mta, is->remote_mta) != 0 ||
        strcmp(expected->diagnostic, is->diagnostic) != 0 ||
        strcmp(expected->recipient, is->recipient) != 0 ||
        strcmp(expected->original_recipient, is->original_recipient) != 0) {
        fail_msg("%s: %s, %s, %s, %s, %s, %s", name, bounce_action_name(is->action), is->status,
                 is->remote_mta, is->diagnostic, is->recipient, is->original_recipient);
    }
}

static void test_each_form_is_read(void **state)
{
    (void)state;
    const struct mesh_keys mesh = keys();
    const struct tag sent = probe();
    for (size_t i = 0; i < COUNT(EXPECTED); i++) {
        char message[FIXTURE_SIZE];
        struct dsn dsn;
        struct tag tag;
        struct recognised scratch;
        const struct expected *expected = &EXPECTED[i];
        size_t length = load(expected->name, message);
        assert_true(dsn_may_be(message, length));
        if (!dsn_read(message, length, &dsn)) {
            fail_msg("%s is none", expected->name);
        }
        assert_bounce(expected->name, &expected->bounce, &dsn.bounce);
        enum returned_identity identity = returned_identify(&dsn, &mesh, &scratch, &tag);
        if (identity != expected->identity) {
            fail_msg("%s is identified as %d", expected->name, (int)identity);
        }
        assert_true(identity == RETURNED_FOREIGN || probe_id_equal(&tag.id, &sent.id));
        assert_true(identity != RETURNED_VERIFIED || strcmp(tag.to, "mx01") == 0);
    }
}

static void test_other_mail_is_left_alone(void **state)
{
    (void)state;
    const char *const names[] = {"vacation", "read_receipt"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char message[FIXTURE_SIZE];
        struct dsn dsn;
        size_t length = load(names[i], message);
        assert_true(dsn_may_be(message, length)); // by its headers it might be
        assert_false(dsn_read(message, length, &dsn));
    }
    const char plain[] = "From: Someone <someone@mx01.example>\r\nSubject: could not be delivered "
                         "to you\r\nContent-Type: text/plain\r\n\r\n";
    assert_false(dsn_may_be(plain, sizeof plain - 1));
}

// As far as the first piece of a message tells.
static void test_what_is_worth_reading_on(void **state)
{
    (void)state;
    char message[FIXTURE_SIZE];
    for (size_t i = 0; i < COUNT(EXPECTED); i++) {
        size_t length = load(EXPECTED[i].name, message);
        length = length < DSN_BEGINNING_MAXIMUM ? length : DSN_BEGINNING_MAXIMUM;
        if (!dsn_begins(message, length)) {
            fail_msg("%s is not", EXPECTED[i].name);
        }
    }
    assert_false(dsn_begins(message, load("vacation", message)));
    assert_false(dsn_begins(message, load("read_receipt", message)));
    memset(message, 'x', sizeof message); // headers that do not end
    memcpy(message, "Return-Path: <>\r\nSubject: ", 26);
    assert_true(dsn_begins(message, DSN_BEGINNING_MAXIMUM));
    memcpy(message, "Return-Path: <>\r\n\r\nbody", 23);
    assert_false(dsn_begins(message, DSN_BEGINNING_MAXIMUM));
}

// One that a key of another mesh has signed is nobody's of ours.
static void test_another_mesh_is_foreign(void **state)
{
    (void)state;
    char message[FIXTURE_SIZE];
    struct mesh_keys mesh = keys();
    struct dsn dsn;
    struct tag tag;
    struct recognised scratch;
    mesh.keys[0].secret[0] ^= 1;
    size_t length = load("qmail", message);
    assert_true(dsn_read(message, length, &dsn));
    assert_int_equal(returned_identify(&dsn, &mesh, &scratch, &tag), RETURNED_FOREIGN);
    length = load("postfix_failed", message); // whatever its envelope claims
    assert_true(dsn_read(message, length, &dsn));
    assert_int_equal(returned_identify(&dsn, &mesh, &scratch, &tag), RETURNED_FOREIGN);
    length = load("exchange_answer_only", message);
    assert_true(dsn_read(message, length, &dsn));
    assert_int_equal(returned_identify(&dsn, &mesh, &scratch, &tag), RETURNED_FOREIGN);
}

// ---- whatever else comes ----

static void assert_harmless(const char *text, size_t size)
{
    assert_non_null(memchr(text, '\0', size));
    for (const char *at = text; *at != '\0';) {
        size_t length = text_character_length(at);
        assert_true(length > 0 && !iscntrl((unsigned char)*at));
        at += length;
    }
}

// Reads a copy of exactly this size, so that a sanitizer sees a step beyond it.
static void read_anything(const char *bytes, size_t length, const struct mesh_keys *mesh)
{
    static struct recognised scratch;
    struct dsn dsn;
    struct tag tag;
    const struct tag sent = probe();
    char *copy = memory_checked(malloc(length + (length == 0)));
    memcpy(copy, bytes, length);
    dsn_may_be(copy, length);
    dsn_begins(copy, length);
    if (dsn_read(copy, length, &dsn)) {
        assert_harmless(dsn.bounce.status, sizeof dsn.bounce.status);
        assert_harmless(dsn.bounce.remote_mta, sizeof dsn.bounce.remote_mta);
        assert_harmless(dsn.bounce.diagnostic, sizeof dsn.bounce.diagnostic);
        assert_harmless(dsn.bounce.recipient, sizeof dsn.bounce.recipient);
        assert_harmless(dsn.envelope_id, sizeof dsn.envelope_id);
        if (returned_identify(&dsn, mesh, &scratch, &tag) == RETURNED_VERIFIED) {
            assert_true(probe_id_equal(&tag.id, &sent.id)); // there is no other
        }
    }
    free(copy);
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    const struct mesh_keys mesh = keys();
    for (size_t i = 0; i < COUNT(EXPECTED); i++) {
        char message[FIXTURE_SIZE];
        size_t length = load(EXPECTED[i].name, message);
        for (size_t cut = 0; cut <= length; cut += 1 + cut % 3) {
            read_anything(message, cut, &mesh);
        }
    }
}

static size_t pick(struct random_stream *random, size_t below)
{
    return below == 0 ? 0 : (size_t)(random_stream_next(random) % below);
}

// Something goes in, out, over or wrong, somewhere.
static size_t mutate(struct random_stream *random, char *message, size_t length)
{
    static const char *const WORDS[] = {"\r\n\r\n",
                                        "--",
                                        "\r\n--b--\r\n",
                                        "boundary=\"",
                                        ";",
                                        "=3D",
                                        "=\r\n",
                                        "\0",
                                        "\x1B[31m",
                                        "Content-Transfer-Encoding: base64\r\n",
                                        "Action: failed\r\n",
                                        "((((((((",
                                        "\xF0\x9F",
                                        "<",
                                        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
                                        "\n",
                                        ":",
                                        "Message-ID:"};
    const char *word = WORDS[pick(random, COUNT(WORDS))];
    size_t size = word[0] == '\0' ? 1 : strlen(word), at = pick(random, length);
    size_t span = pick(random, length - at < 200 ? length - at : 200);
    switch (pick(random, 4)) {
    case 0:
        message[at] = (char)random_stream_next(random);
        return length;
    case 1:
        memmove(message + at, message + at + span, length - at - span);
        return length - span;
    case 2:
        span = span < FIXTURE_SIZE - length ? span : 0;
        memmove(message + at + span, message + at, length - at); // a piece stands twice
        return length + span;
    default:
        if (size > FIXTURE_SIZE - length) {
            return length;
        }
        memmove(message + at + size, message + at, length - at);
        memcpy(message + at, word, size);
        return length + size;
    }
}

static void test_mutations_do_no_harm(void **state)
{
    (void)state;
    const uint64_t seed = 20261121;
    struct random_stream random = random_stream_from(seed);
    const struct mesh_keys mesh = keys();
    static char originals[COUNT(EXPECTED)][FIXTURE_SIZE];
    size_t lengths[COUNT(EXPECTED)];
    for (size_t i = 0; i < COUNT(EXPECTED); i++) {
        lengths[i] = load(EXPECTED[i].name, originals[i]);
    }
    for (unsigned i = 0; i < MUTATIONS; i++) {
        char message[FIXTURE_SIZE];
        size_t which = pick(&random, COUNT(EXPECTED)), length = lengths[which];
        memcpy(message, originals[which], length);
        for (size_t more = 1 + pick(&random, 12); more > 0; more--) {
            length = mutate(&random, message, length);
        }
        read_anything(message, length, &mesh);
    }
}

// As much as is ever looked at, full of one thing.
static void test_a_message_full_of_anything_is_read_soon(void **state)
{
    (void)state;
    static const char *const FILLS[] = {"(",
                                        " ",
                                        "\n",
                                        "\r\n",
                                        "=",
                                        "= ",
                                        "A",
                                        "<",
                                        ":",
                                        "a: b\n",
                                        " a",
                                        "--",
                                        "--b\n",
                                        "\xFF",
                                        "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
                                        "Action: failed\n\n",
                                        "failed permanently\n a@b\n",
                                        "-- message\n",
                                        "host a.b ",
                                        "\"",
                                        ";",
                                        "boundary=b;"};
    static const char HEAD[] =
        "Return-Path: <>\r\nContent-Type: multipart/report; boundary=b\r\nReferences: ";
    static char message[DSN_BYTES_MAXIMUM];
    const struct mesh_keys mesh = keys();
    for (size_t i = 0; i < COUNT(FILLS) * 3; i++) {
        const char *fill = FILLS[i / 3];
        size_t length = i % 3 == 0 ? 0 : strlen(HEAD);
        memcpy(message, HEAD, length);
        if (i % 3 == 2) {
            const char part[] = "\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n";
            memcpy(message + length, part, strlen(part));
            length += strlen(part);
        }
        for (size_t at = length; at < sizeof message; at++) {
            message[at] = fill[(at - length) % strlen(fill)];
        }
        clock_t begin = clock();
        read_anything(message, sizeof message, &mesh);
        assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 1.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_form_is_read),
        cmocka_unit_test(test_other_mail_is_left_alone),
        cmocka_unit_test(test_what_is_worth_reading_on),
        cmocka_unit_test(test_another_mesh_is_foreign),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_mutations_do_no_harm),
        cmocka_unit_test(test_a_message_full_of_anything_is_read_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
