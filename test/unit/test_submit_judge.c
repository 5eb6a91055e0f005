// What a submission came to: each way a session can end, with its exact words.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "probes/submit/judge.h"

static const struct probe_endpoint RELAY = {
    .host = "mx01.example", .port = 25, .user = "probe", .tls = PROBE_TLS_STARTTLS};

// How a session ended, and what is to be made of it. Every wait was 9.7 s.
struct end {
    struct dialogue dialogue;
    bool timed_out, accepted, never_connected;
    int connect_error;
    struct span connect_waited;
    enum submit_result result;
    enum reply_class reply_class;
    const char *cause;
};

static void check(const struct end *end)
{
    struct evidence evidence = {
        .relay = &RELAY,
        .dialogue = &end->dialogue,
        .connected = !end->never_connected,
        .connect_error = end->connect_error,
        .connect_waited = end->connect_waited,
        .timed_out = end->timed_out,
        .accepted = end->accepted,
        .ended = {9700000000},
        .tls_failure = "certificate is not trusted",
    };
    struct submit_outcome outcome = {.number = 1};
    judge(&evidence, &outcome);
    assert_string_equal(outcome.cause, end->cause);
    assert_int_equal(outcome.result, end->result);
    assert_int_equal(outcome.reply_class, end->reply_class);
    assert_int_equal(outcome.code, end->dialogue.code);
    assert_string_equal(outcome.reply, end->dialogue.reply);
}

#define ANSWERED(where, number, words)                                                             \
    .dialogue = {.stage = (where), .answered = true, .code = (number), .reply = (words)}
#define UNANSWERED(where) .dialogue = {.stage = (where)}

static void test_accepted(void **state)
{
    (void)state;
    struct end end = {ANSWERED(STAGE_CONTENT, 250, "250 queued as X"), .accepted = true,
                      .result = SUBMIT_ACCEPTED, .reply_class = REPLY_2XX, .cause = ""};
    check(&end);
}

static void test_refused_by_a_reply(void **state)
{
    (void)state;
    static const enum smtp_stage STAGES[] = {STAGE_GREETING, STAGE_EHLO, STAGE_STARTTLS, STAGE_MAIL,
                                             STAGE_RCPT,     STAGE_DATA, STAGE_CONTENT};
    for (size_t i = 0; i < sizeof STAGES / sizeof STAGES[0]; i++) {
        struct end end = {ANSWERED(STAGES[i], 451, "451 later"), .result = SUBMIT_REFUSED,
                          .reply_class = REPLY_4XX, .cause = ""};
        check(&end);
        end.dialogue.code = 554;
        strcpy(end.dialogue.reply, "554 never");
        end.reply_class = REPLY_5XX;
        check(&end);
    }
}

static void test_silence(void **state)
{
    (void)state;
    static const struct end ENDS[] = {
        {UNANSWERED(STAGE_GREETING), .timed_out = true, .result = SUBMIT_REFUSED,
         .reply_class = REPLY_TIMEOUT, .cause = "no greeting from mx01.example:25 within 9.7 s"},
        {UNANSWERED(STAGE_EHLO), .timed_out = true, .result = SUBMIT_REFUSED,
         .reply_class = REPLY_TIMEOUT,
         .cause = "no reply to EHLO from mx01.example:25 within 9.7 s"},
        {UNANSWERED(STAGE_HANDSHAKE), .timed_out = true, .result = SUBMIT_REFUSED,
         .reply_class = REPLY_TIMEOUT,
         .cause = "no TLS handshake from mx01.example:25 within 9.7 s"},
        {UNANSWERED(STAGE_CONTENT), .timed_out = true, .result = SUBMIT_UNCERTAIN,
         .reply_class = REPLY_TIMEOUT,
         .cause = "no reply to the content from mx01.example:25 within 9.7 s"},
        {UNANSWERED(STAGE_GREETING), .result = SUBMIT_REFUSED, .reply_class = REPLY_CONNECT,
         .cause = "connection to mx01.example:25 lost before its greeting"},
        {UNANSWERED(STAGE_RCPT), .result = SUBMIT_REFUSED, .reply_class = REPLY_CONNECT,
         .cause = "connection to mx01.example:25 lost before its reply to RCPT TO"},
        {UNANSWERED(STAGE_CONTENT), .result = SUBMIT_UNCERTAIN, .reply_class = REPLY_CONNECT,
         .cause = "connection to mx01.example:25 lost before its reply to the content"},
    };
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        check(&ENDS[i]);
    }
}

static void test_connection(void **state)
{
    (void)state;
    static const struct end ENDS[] = {
        {.never_connected = true,
         .connect_error = ECONNREFUSED,
         .result = SUBMIT_REFUSED,
         .reply_class = REPLY_CONNECT,
         .cause = "connect to mx01.example:25: Connection refused"},
        {.never_connected = true,
         .connect_error = ETIMEDOUT,
         .connect_waited = {9750000000},
         .result = SUBMIT_REFUSED,
         .reply_class = REPLY_CONNECT,
         .cause = "connect to mx01.example:25: no reply to connect within 9.8 s"},
    };
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        check(&ENDS[i]);
    }
}

static void test_tls(void **state)
{
    (void)state;
    struct end handshake = {UNANSWERED(STAGE_HANDSHAKE), .result = SUBMIT_REFUSED,
                            .reply_class = REPLY_TLS, .cause = "certificate is not trusted"};
    struct end missing = {ANSWERED(STAGE_EHLO, 250, "250 mx01"), .result = SUBMIT_REFUSED,
                          .reply_class = REPLY_TLS,
                          .cause = "STARTTLS is not offered by mx01.example:25"};
    missing.dialogue.no_starttls = true;
    check(&handshake);
    check(&missing);
}

static void test_stopped(void **state)
{
    (void)state;
    static const struct {
        enum smtp_stage stage;
        enum dialogue_stop stop;
        int code;
        enum reply_class reply_class;
        const char *cause;
    } STOPS[] = {
        {STAGE_STARTTLS, STOP_UNASKED, 220, REPLY_TLS,
         "mx01.example:25 sent more than its reply to STARTTLS: somebody may be injecting "
         "commands"},
        {STAGE_EHLO, STOP_FLOOD, 0, REPLY_CONNECT,
         "mx01.example:25 sent more than 65536 bytes, the last in its reply to EHLO"},
        {STAGE_GREETING, STOP_LONG_LINE, 0, REPLY_CONNECT,
         "mx01.example:25 sent a line of more than 1022 bytes in its greeting"},
        {STAGE_EHLO, STOP_NOT_ENCRYPTED, 250, REPLY_TLS, "TLS with mx01.example:25 did not begin"},
        {STAGE_EHLO, STOP_NO_AUTH, 250, REPLY_5XX,
         "AUTH is not offered by mx01.example:25 in a form that we have (PLAIN, LOGIN, CRAM-MD5)"},
        {STAGE_AUTH, STOP_AUTH_REFUSED, 535, REPLY_5XX,
         "authentication as probe is refused by mx01.example:25"},
        {STAGE_AUTH, STOP_AUTH_REFUSED, 454, REPLY_4XX,
         "authentication as probe is refused by mx01.example:25"},
        {STAGE_EHLO, STOP_COMMAND, 250, REPLY_CONNECT,
         "the session with mx01.example:25 went astray after its reply to EHLO"},
    };
    for (size_t i = 0; i < sizeof STOPS / sizeof STOPS[0]; i++) {
        struct end end = {ANSWERED(STOPS[i].stage, STOPS[i].code, "what it said"),
                          .result = SUBMIT_REFUSED, .reply_class = STOPS[i].reply_class,
                          .cause = STOPS[i].cause};
        end.dialogue.stop = STOPS[i].stop;
        check(&end);
    }
}

static void test_replies_that_settle_nothing(void **state)
{
    (void)state;
    static const struct end ENDS[] = {
        {ANSWERED(STAGE_GREETING, 0, "SSH-2.0"), .result = SUBMIT_REFUSED,
         .reply_class = REPLY_CONNECT, .cause = "the greeting from mx01.example:25 is not SMTP"},
        {ANSWERED(STAGE_DATA, 250, "250 ok"), .result = SUBMIT_REFUSED,
         .reply_class = REPLY_CONNECT,
         .cause = "the reply to DATA from mx01.example:25 is none that fits"},
        {ANSWERED(STAGE_CONTENT, 354, "354 more"), .result = SUBMIT_UNCERTAIN,
         .reply_class = REPLY_CONNECT,
         .cause = "the reply to the content from mx01.example:25 is none that fits"},
        {ANSWERED(STAGE_CONTENT, 0, "hello"), .result = SUBMIT_UNCERTAIN,
         .reply_class = REPLY_CONNECT,
         .cause = "the reply to the content from mx01.example:25 is not SMTP"},
    };
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        check(&ENDS[i]);
    }
}

static void test_queue_ids(void **state)
{
    (void)state;
    static const char *const CASES[][2] = {
        {"250 2.0.0 Ok: queued as 4FZXKQ1Y", "4FZXKQ1Y"},
        {"250 2.0.0 Ok: 389 bytes queued as 4d0PvN2xyzz1.", "4d0PvN2xyzz1"},
        {"250 OK id=1tXyz0-0001AB-2c", "1tXyz0-0001AB-2c"},
        {"250 2.0.0 17kd0fJK012345 Message accepted for delivery", "17kd0fJK012345"},
        {"250 2.6.0 <x@y> [InternalId=123456, Hostname=EX1] Queued mail for delivery", "123456"},
        {"250 ok", ""},
        {"250 queued as <script>", ""},
        {" Message accepted for delivery", ""},
    };
    char id[PROBE_QUEUE_ID_SIZE];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        parse_queue_id(CASES[i][0], id);
        assert_string_equal(id, CASES[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused_by_a_reply),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_connection),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_replies_that_settle_nothing),
        cmocka_unit_test(test_queue_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
