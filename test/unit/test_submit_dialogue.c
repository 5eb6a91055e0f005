// What is read off an SMTP session, what is hidden from libESMTP and where it is stopped.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "probes/submit/dialogue.h"

static struct instant at(int64_t seconds)
{
    return (struct instant){seconds * 1000000000};
}

static const struct probe_endpoint PLAIN = {.host = "mx01.example", .port = 25};
static const struct probe_endpoint SECURE = {.host = "mx01.example",
                                             .port = 587,
                                             .tls = PROBE_TLS_STARTTLS,
                                             .user = "probe",
                                             .password = "correct horse"};

static struct dialogue begin(const struct probe_endpoint *relay)
{
    static struct dialogue dialogue;
    dialogue_begin(&dialogue, relay, at(0));
    dialogue_connected(&dialogue, at(0));
    return dialogue;
}

static bool hear(struct dialogue *dialogue, const char *bytes, int64_t second)
{
    char copy[256];
    strcpy(copy, bytes);
    return dialogue_read(dialogue, copy, strlen(copy), at(second));
}

static bool say(struct dialogue *dialogue, const char *bytes, int64_t second)
{
    return dialogue_write(dialogue, bytes, strlen(bytes), at(second));
}

static void test_plain_session(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "220 mx01 ESMTP\r\n", 1));
    assert_string_equal(dialogue.reply, "220 mx01 ESMTP");
    assert_true(say(&dialogue, "EHLO mx02\r\n", 1));
    assert_false(dialogue.answered);
    assert_true(hear(&dialogue, "250-mx01\r\n250-SIZE 100\r\n", 2));
    assert_false(dialogue.answered);
    assert_true(hear(&dialogue, "250 DSN\r\n", 3));
    assert_string_equal(dialogue.reply, "250 mx01 SIZE 100 DSN");
    assert_true(say(&dialogue, "MAIL FROM:<a@b>\r\n", 4));
    assert_true(hear(&dialogue, "250 ok\r\n", 5));
    assert_true(say(&dialogue, "RCPT TO:<c@d>\r\n", 5));
    assert_true(hear(&dialogue, "250 ok\r\n", 6));
    assert_true(say(&dialogue, "DATA\r\n", 6));
    assert_true(hear(&dialogue, "354 go\r\n", 7));
    dialogue_content(&dialogue, at(7));
    assert_true(hear(&dialogue, "250 queued as X\r\n", 10));
    assert_int_equal(dialogue.stage, STAGE_CONTENT);
    assert_int_equal(dialogue.code, 250);
    assert_int_equal(dialogue.legs[LEG_CONNECT].ns, 4000000000);
    assert_int_equal(dialogue.legs[LEG_SUBMIT].ns, 6000000000);
    assert_true(dialogue.legs[LEG_TLS].ns < 0);
    assert_true(say(&dialogue, "QUIT\r\n", 11));
    assert_true(hear(&dialogue, "221 bye\r\n", 12));
    assert_int_equal(dialogue.code, 250);
}

// Up to MAIL FROM, which is taken.
static struct dialogue begin_transaction(void)
{
    struct dialogue dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "220 mx01 ESMTP\r\n", 1));
    assert_true(say(&dialogue, "EHLO mx02\r\n", 1));
    assert_true(hear(&dialogue, "250-mx01\r\n250 PIPELINING\r\n", 2));
    assert_true(say(&dialogue, "MAIL FROM:<a@b>\r\n", 2));
    assert_true(hear(&dialogue, "250 ok\r\n", 3));
    return dialogue;
}

static void test_commands_sent_along(void **state)
{
    (void)state;
    struct dialogue dialogue = begin_transaction();
    assert_true(say(&dialogue, "RCPT TO:<c@d>\r\nDATA\r\n", 3));
    assert_int_equal(dialogue.stage, STAGE_RCPT);
    assert_true(hear(&dialogue, "250-that\r\n250 is fine\r\n35", 5));
    assert_int_equal(dialogue.stage, STAGE_DATA);
    assert_false(dialogue.answered);
    assert_int_equal(dialogue.asked.ns, at(5).ns);
    assert_true(hear(&dialogue, "4 go\r\n", 6));
    assert_int_equal(dialogue.code, 354);
    assert_false(hear(&dialogue, "250 injected\r\n", 7));
    assert_int_equal(dialogue.stop, STOP_UNASKED);
}

static void test_a_refusal_is_what_counts(void **state)
{
    (void)state;
    static const char *const REST[] = {"503 what?\r\n", "354-go\r\n354 on\r\n", "421 bye\r\n"};
    for (size_t i = 0; i < sizeof REST / sizeof REST[0]; i++) {
        struct dialogue dialogue = begin_transaction();
        assert_true(say(&dialogue, "RCPT TO:<c@d>\r\nDATA\r\n", 3));
        assert_true(hear(&dialogue, "550-no such\r\n550 user\r\n", 4));
        assert_true(hear(&dialogue, REST[i], 5));
        assert_int_equal(dialogue.stage, STAGE_RCPT);
        assert_int_equal(dialogue.answered_at.ns, at(4).ns);
        assert_string_equal(dialogue.reply, "550 no such user");
        assert_true(say(&dialogue, ".\r\n", 6));
        assert_true(hear(&dialogue, "554 no recipients\r\n", 7));
        assert_string_equal(dialogue.reply, "550 no such user");
        assert_false(hear(&dialogue, "250 injected\r\n", 8));
    }
}

static void test_a_dot_ends_nothing_else(void **state)
{
    (void)state;
    struct dialogue dialogue = begin_transaction();
    assert_false(say(&dialogue, ".\r\n", 3));
    assert_int_equal(dialogue.stop, STOP_COMMAND);
}

static void test_legs_of_a_secure_session(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&SECURE);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_true(say(&dialogue, "EHLO mx02\r\n", 1));
    assert_true(hear(&dialogue, "250 STARTTLS\r\n", 2));
    assert_true(say(&dialogue, "STARTTLS\r\n", 2));
    assert_true(hear(&dialogue, "220 go\r\n", 3));
    assert_int_equal(dialogue.stage, STAGE_HANDSHAKE);
    dialogue_encrypted(&dialogue);
    assert_true(say(&dialogue, "EHLO mx02\r\n", 5));
    assert_true(hear(&dialogue, "250 AUTH LOGIN\r\n", 6));
    assert_true(say(&dialogue, "AUTH LOGIN\r\n", 7));
    assert_true(hear(&dialogue, "334 VXNlcm5hbWU6\r\n", 8));
    assert_true(say(&dialogue, "cHJvYmU=\r\n", 8));
    assert_true(hear(&dialogue, "334 UGFzc3dvcmQ6\r\n", 9));
    assert_true(say(&dialogue, "Y29ycmVjdCBob3JzZQ==\r\n", 9));
    assert_true(hear(&dialogue, "235 welcome\r\n", 12));
    assert_true(say(&dialogue, "MAIL FROM:<a@b>\r\n", 12));
    assert_int_equal(dialogue.legs[LEG_CONNECT].ns, 2000000000);
    assert_int_equal(dialogue.legs[LEG_TLS].ns, 5000000000);
    assert_int_equal(dialogue.legs[LEG_AUTH].ns, 5000000000);
}

// Both ways, without what AUTH says, whoever says it, and with the line that never ended.
static void test_transcript(void **state)
{
    (void)state;
    char lines[TRANSCRIPT_SIZE];
    struct dialogue dialogue = begin(&SECURE);
    dialogue_note(&dialogue, "connected to 192.0.2.1 port 587", at(0));
    assert_true(hear(&dialogue, "220-mx01\r\n220 ESM", 1));
    assert_true(hear(&dialogue, "TP\r\n", 2));
    assert_true(say(&dialogue, "EHLO mx02\r\n", 2));
    assert_true(hear(&dialogue, "250 STARTTLS\r\n", 3));
    assert_true(say(&dialogue, "STARTTLS\r\n", 3));
    assert_true(hear(&dialogue, "220 go\r\n", 3));
    dialogue_encrypted(&dialogue);
    dialogue_note(&dialogue, "TLSv1.3", at(4));
    assert_true(say(&dialogue, "EHLO mx02\r\n", 4));
    assert_true(hear(&dialogue, "250 AUTH PLAIN LOGIN\r\n", 4));
    assert_true(say(&dialogue, "AUTH LOGIN cHJvYmU=\r\n", 4));
    assert_true(hear(&dialogue, "334 UGFzc3dvcmQ6\r\n", 5));
    assert_true(say(&dialogue, "Y29ycmVjdCBob3JzZQ==\r\n", 5));
    assert_false(hear(&dialogue, "535-Y29ycmVjdCBob3JzZQ== is\r\n535 correct horse\r\n", 6));
    assert_false(say(&dialogue, "MAIL FROM:<a@b>\r\n", 6));
    dialogue_transcribe(&dialogue, lines, at(7));
    assert_string_equal(lines, "0 note connected to 192.0.2.1 port 587\n"
                               "1000000 server 220-mx01\n"
                               "2000000 server 220 ESMTP\n"
                               "2000000 client EHLO mx02\n"
                               "3000000 server 250 STARTTLS\n"
                               "3000000 client STARTTLS\n"
                               "3000000 server 220 go\n"
                               "4000000 note TLSv1.3\n"
                               "4000000 client EHLO mx02\n"
                               "4000000 server 250 AUTH PLAIN LOGIN\n"
                               "4000000 client AUTH LOGIN ***\n"
                               "5000000 server 334 UGFzc3dvcmQ6\n"
                               "5000000 client ***\n"
                               "6000000 server 535-*** is\n"
                               "6000000 server 535 ***\n");
}

static void test_transcript_of_what_nobody_asked_for(void **state)
{
    (void)state;
    char lines[TRANSCRIPT_SIZE];
    struct dialogue dialogue = begin(&PLAIN);
    assert_false(hear(&dialogue, "220 mx01\r\n250 injected\r\n250 more\r\n", 1));
    dialogue_transcribe(&dialogue, lines, at(2));
    assert_string_equal(lines, "1000000 server 220 mx01\n1000000 server 250 injected\n");
    dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_true(say(&dialogue, "QUIT\r\n", 2));
    assert_true(hear(&dialogue, "221 bye\r\n", 3));
    assert_true(hear(&dialogue, "half", 4));
    dialogue_transcribe(&dialogue, lines, at(5));
    assert_string_equal(lines, "1000000 server 220 mx01\n2000000 client QUIT\n"
                               "3000000 server 221 bye\n4000000 server half\n");
    dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "220 mx", 1));
    dialogue_transcribe(&dialogue, lines, at(9));
    assert_string_equal(lines, "9000000 server 220 mx\n");
}

// Feeds an EHLO reply in pieces of the given size and shows what libESMTP gets to see.
static void mask(const char *reply, size_t piece, char *seen)
{
    struct dialogue dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_true(say(&dialogue, "EHLO mx02\r\n", 1));
    strcpy(seen, reply);
    for (size_t begun = 0, length = strlen(reply); begun < length; begun += piece) {
        size_t count = length - begun < piece ? length - begun : piece;
        assert_true(dialogue_read(&dialogue, seen + begun, count, at(2)));
    }
    assert_true(dialogue.answered);
}

static void test_extensions_are_hidden(void **state)
{
    (void)state;
    static const struct {
        const char *reply, *seen;
    } CASES[] = {
        {"250-mx\r\n250-CHUNKING\r\n250 DSN\r\n", "250-mx\r\n250-CHUNKINX\r\n250 DSN\r\n"},
        {"250-mx\r\n250-  chunking\r\n250 DSN\r\n", "250-mx\r\n250-  chunkinX\r\n250 DSN\r\n"},
        {"250-mx\r\n250 CHUNKING\r\n", "250-mx\r\n250 CHUNKINX\r\n"},
        {"250-mx\r\n250 XCHUNKING\r\n", "250-mx\r\n250 XCHUNKING\r\n"},
        {"250-mx\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n",
         "250-mx\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n"},
        {"250-mx\r\n250-AUTH NTLM PLAIN\r\n250 AUTH=NTLM login\r\n",
         "250-mx\r\n250-AUTH ---- PLAIN\r\n250 AUTH=---- login\r\n"},
        {"250-mx\r\n250 AUTH PLAINER DIGEST-MD5\r\n", "250-mx\r\n250 AUTH PLAIN-- ----------\r\n"},
    };
    char seen[256];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        for (size_t piece = 1; piece < 40; piece++) {
            mask(CASES[i].reply, piece, seen);
            assert_string_equal(seen, CASES[i].seen);
        }
    }
}

static void test_bytes_nobody_asked_for(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&SECURE);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_true(say(&dialogue, "EHLO mx02\r\n", 1));
    assert_true(hear(&dialogue, "250 STARTTLS\r\n", 2));
    assert_true(say(&dialogue, "STARTTLS\r\n", 2));
    assert_false(hear(&dialogue, "220 go\r\n250 AUTH PLAIN\r\n", 3));
    assert_int_equal(dialogue.stop, STOP_UNASKED);
    assert_int_equal(dialogue.stage, STAGE_STARTTLS);
}

static void test_never_in_the_clear(void **state)
{
    (void)state;
    static const char *const COMMANDS[] = {"AUTH PLAIN AAAA\r\n", "MAIL FROM:<a@b>\r\n"};
    for (size_t i = 0; i < 2; i++) {
        struct dialogue dialogue = begin(&SECURE);
        assert_true(hear(&dialogue, "220 mx01\r\n", 1));
        assert_false(say(&dialogue, COMMANDS[i], 2));
        assert_int_equal(dialogue.stop, STOP_NOT_ENCRYPTED);
    }
}

static void test_never_unauthenticated(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&SECURE);
    dialogue_encrypted(&dialogue);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_false(say(&dialogue, "MAIL FROM:<a@b>\r\n", 2));
    assert_int_equal(dialogue.stop, STOP_NO_AUTH);
}

static void test_refused_auth_ends_it(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&SECURE);
    dialogue_encrypted(&dialogue);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_true(say(&dialogue, "AUTH PLAIN AHByb2JlAGNvcnJlY3QgaG9yc2U=\r\n", 2));
    assert_false(hear(&dialogue, "535 no\r\n", 3));
    assert_int_equal(dialogue.stop, STOP_AUTH_REFUSED);
    assert_string_equal(dialogue.reply, "535 no");
}

static void test_secrets_are_cut_out(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&SECURE);
    dialogue_encrypted(&dialogue);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_true(say(&dialogue, "AUTH PLAIN AHByb2JlAGNvcnJlY3QgaG9yc2U=\r\n", 2));
    assert_false(hear(&dialogue,
                      "535-AUTH PLAIN AHByb2JlAGNvcnJlY3QgaG9yc2U=\r\n"
                      "535 correct horse\x01 corr, corr\r\n",
                      3));
    assert_string_equal(dialogue.reply, "535 AUTH PLAIN *** ***? corr, ***");
}

static void test_verbs_in_credentials_are_none(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&SECURE);
    dialogue_encrypted(&dialogue);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_true(say(&dialogue, "AUTH LOGIN\r\n", 2));
    assert_true(hear(&dialogue, "334 VXNlcm5hbWU6\r\n", 3));
    assert_true(say(&dialogue, "QUIT\r\n", 4));
    assert_false(dialogue.quitting);
    assert_int_equal(dialogue.stage, STAGE_AUTH);
}

static void test_what_the_library_never_says(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "220 mx01\r\n", 1));
    assert_false(say(&dialogue, "BDAT 100 LAST\r\n", 2));
    assert_int_equal(dialogue.stop, STOP_COMMAND);
}

static void test_garbage_is_no_reply(void **state)
{
    (void)state;
    static const char *const LINES[] = {"SSH-2.0-OpenSSH\r\n", "\r\n", "25 x\r\n", "900 x\r\n",
                                        "250x\r\n"};
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        struct dialogue dialogue = begin(&PLAIN);
        hear(&dialogue, LINES[i], 1);
        assert_true(dialogue.answered);
        assert_int_equal(dialogue.code, 0);
    }
}

static void test_reply_without_end(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&PLAIN);
    size_t lines = 0;
    while (hear(&dialogue, "220-there is more\r\n", 1)) {
        lines++;
    }
    assert_int_equal(dialogue.stop, STOP_FLOOD);
    assert_in_range(lines, 3000, 4000);
    assert_int_equal(dialogue.text_length, sizeof dialogue.text - 1);
}

static void test_line_without_end(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&PLAIN);
    size_t count = 0;
    while (hear(&dialogue, "2", 1)) {
        count++;
    }
    assert_int_equal(count, 1022);
    assert_int_equal(dialogue.stop, STOP_LONG_LINE);
}

static void test_long_reply_is_cut_and_marked(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&PLAIN);
    for (int i = 0; i < 100; i++) {
        assert_true(hear(&dialogue, "220-0123456789 0123456789 0123456789\r\n", 1));
    }
    assert_true(hear(&dialogue, "220 0123456789\r\n", 2));
    assert_int_equal(dialogue.code, 220);
    assert_int_equal(strlen(dialogue.reply), PROBE_REPLY_SIZE - 1);
    assert_string_equal(dialogue.reply + PROBE_REPLY_SIZE - 4, "...");
}

// Nothing that the library still does with its buffer may change what is reported.
static void test_record_stands_still_when_stopped(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&PLAIN);
    assert_false(hear(&dialogue, "220 mx01\r\n250 and more\r\n", 1));
    assert_false(say(&dialogue, "EHLO mx02\r\n", 2));
    assert_false(hear(&dialogue, "250 mx01\r\n", 3));
    assert_int_equal(dialogue.stage, STAGE_GREETING);
    assert_string_equal(dialogue.reply, "220 mx01");
}

// A greeting of 421 makes the library try the next address.
static void test_next_address_begins_anew(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "421 busy\r\n", 1));
    assert_true(say(&dialogue, "QUIT\r\n", 1));
    dialogue_connected(&dialogue, at(3));
    assert_false(dialogue.answered);
    assert_true(hear(&dialogue, "220 mx01\r\n", 4));
    assert_int_equal(dialogue.code, 220);
    assert_true(say(&dialogue, "EHLO mx02\r\n", 4));
}

static void hand_over(struct dialogue *dialogue, int64_t second)
{
    assert_true(say(dialogue, "MAIL FROM:<a@b>\r\n", second));
    assert_true(hear(dialogue, "250 ok\r\n", second));
    assert_true(say(dialogue, "RCPT TO:<c@d>\r\n", second));
    assert_true(hear(dialogue, "250 ok\r\n", second));
    assert_true(say(dialogue, "DATA\r\n", second));
    assert_true(hear(dialogue, "354 go\r\n", second));
    dialogue_content(dialogue, at(second));
}

static void test_another_message_is_told_of_alone(void **state)
{
    (void)state;
    char transcript[TRANSCRIPT_SIZE];
    struct dialogue dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "220 mx01 ESMTP\r\n", 1));
    assert_true(say(&dialogue, "EHLO mx02\r\n", 1));
    assert_true(hear(&dialogue, "250 mx01\r\n", 2));
    hand_over(&dialogue, 2);
    assert_true(hear(&dialogue, "250 queued as FIRST\r\n", 5));
    dialogue_next_message(&dialogue, at(5));
    assert_false(dialogue.answered);
    assert_true(dialogue.legs[LEG_SUBMIT].ns < 0);
    hand_over(&dialogue, 7);
    assert_true(dialogue.legs[LEG_SUBMIT].ns < 0);
    assert_true(hear(&dialogue, "250 queued as SECOND\r\n", 8));
    assert_int_equal(dialogue.legs[LEG_SUBMIT].ns, 1000000000);
    assert_true(dialogue.legs[LEG_CONNECT].ns < 0);
    dialogue_transcribe(&dialogue, transcript, at(8));
    assert_null(strstr(transcript, "FIRST"));
    assert_null(strstr(transcript, "EHLO"));
    assert_non_null(strstr(transcript, "SECOND"));
}

static void test_what_follows_the_last_reply_is_noticed(void **state)
{
    (void)state;
    struct dialogue dialogue = begin(&PLAIN);
    assert_true(hear(&dialogue, "220 mx01 ESMTP\r\n", 1));
    assert_true(say(&dialogue, "EHLO mx02\r\n", 1));
    assert_true(hear(&dialogue, "250 mx01\r\n", 2));
    hand_over(&dialogue, 2);
    assert_true(hear(&dialogue, "250 queued\r\n", 5));
    assert_false(dialogue.surplus);
    assert_true(hear(&dialogue, "421 bye\r\n", 6));
    assert_true(dialogue.surplus);
    assert_int_equal(dialogue.code, 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_message_is_told_of_alone),
        cmocka_unit_test(test_what_follows_the_last_reply_is_noticed),
        cmocka_unit_test(test_plain_session),
        cmocka_unit_test(test_transcript),
        cmocka_unit_test(test_transcript_of_what_nobody_asked_for),
        cmocka_unit_test(test_commands_sent_along),
        cmocka_unit_test(test_a_refusal_is_what_counts),
        cmocka_unit_test(test_a_dot_ends_nothing_else),
        cmocka_unit_test(test_legs_of_a_secure_session),
        cmocka_unit_test(test_extensions_are_hidden),
        cmocka_unit_test(test_bytes_nobody_asked_for),
        cmocka_unit_test(test_never_in_the_clear),
        cmocka_unit_test(test_never_unauthenticated),
        cmocka_unit_test(test_refused_auth_ends_it),
        cmocka_unit_test(test_secrets_are_cut_out),
        cmocka_unit_test(test_verbs_in_credentials_are_none),
        cmocka_unit_test(test_what_the_library_never_says),
        cmocka_unit_test(test_garbage_is_no_reply),
        cmocka_unit_test(test_reply_without_end),
        cmocka_unit_test(test_line_without_end),
        cmocka_unit_test(test_long_reply_is_cut_and_marked),
        cmocka_unit_test(test_record_stands_still_when_stopped),
        cmocka_unit_test(test_next_address_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
