// The lines between the agent and mailflow-submit: there and back, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "probes/probe.h"

static struct submit_job full_job(void)
{
    struct submit_job job = {
        .number = 7,
        .deadline = {1234567890123456789},
        .relay = {.host = "mx01.example",
                  .port = 587,
                  .tls = PROBE_TLS_STARTTLS,
                  .ca_file = "/etc/ca.pem",
                  .user = "probe",
                  .password = "p\"a\\ss w\xC3\xB6rd"},
        .ehlo = "mx02.example",
        .sender = "probe@mx02.example",
        .recipient = "probe@mx01.example",
        .tag = {.from = "mx02",
                .to = "mx01",
                .kind = PROBE_FRESH,
                .slot = INT64_MAX,
                .previous = 3,
                .sent = {5},
                .error = {6},
                .next = {-7},
                .drain = {8}},
        .maintenance = "w-1f3a",
        .receipts = "as_of=1",
        .row = "mx03=ok",
        .key = {.id = "k1", .secret_length = MESH_KEY_SECRET_MAXIMUM},
    };
    memset(job.tag.id.bytes, 0xA5, sizeof job.tag.id.bytes);
    for (size_t i = 0; i < MESH_KEY_SECRET_MAXIMUM; i++) {
        job.key.secret[i] = (uint8_t)(i * 37);
    }
    return job;
}

static void test_job_there_and_back(void **state)
{
    (void)state;
    struct submit_job job = full_job(), back;
    struct error error;
    char *line = submit_job_encode(&job);
    assert_string_equal(strchr(line, '\n'), "\n");
    assert_true(submit_job_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&job, &back, sizeof job);
    free(line);
}

static void test_outcome_there_and_back(void **state)
{
    (void)state;
    struct submit_outcome back, outcome = {
                                    .number = 7,
                                    .result = SUBMIT_UNCERTAIN,
                                    .reply_class = REPLY_TIMEOUT,
                                    .code = 354,
                                    .reply = "354 go \"on\" \\",
                                    .cause = "no reply to the content",
                                    .queue_id = "4FZ",
                                    .sent = {{1}, {2}},
                                    .accepted = {{3}, {4}},
                                    .legs = {{5}, {-1}, {7}, {-1}, {9}},
                                    .transcript = "0 server 220 \\\"mx\\\"\n",
                                };
    struct error error;
    char *line = submit_outcome_encode(&outcome);
    assert_true(submit_outcome_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&outcome, &back, sizeof outcome);
    free(line);
}

// Whatever servers say, all of it fits into one line.
static void test_the_longest_outcome_is_a_line(void **state)
{
    (void)state;
    struct submit_outcome back, outcome = {.number = INT64_MAX, .sent = {{INT64_MAX}, {INT64_MAX}}};
    struct error error;
    memset(outcome.reply, '"', sizeof outcome.reply - 1);
    memset(outcome.cause, '\\', sizeof outcome.cause - 1);
    memset(outcome.queue_id, 'X', sizeof outcome.queue_id - 1);
    memset(outcome.transcript, '\\', sizeof outcome.transcript - 1);
    char *line = submit_outcome_encode(&outcome);
    assert_true(submit_outcome_decode(line, strlen(line), &back, &error));
    assert_memory_equal(&outcome, &back, sizeof outcome);
    free(line);
}

// A reply in some other character set must not make a line that the other side cannot read.
static void test_reply_that_is_no_utf8(void **state)
{
    (void)state;
    struct submit_outcome back, outcome = {.number = 1, .reply = "550 f\xFCr immer"};
    struct error error;
    char *line = submit_outcome_encode(&outcome);
    assert_true(submit_outcome_decode(line, strlen(line), &back, &error));
    assert_string_equal(back.reply, "550 f?r immer");
    free(line);
}

// Changes one thing in a good line and expects the decoder to say exactly why it refuses it.
static void assert_refused(const char *from, const char *to, const char *reason)
{
    struct submit_job job = full_job(), back;
    struct error error;
    char changed[JSON_LINE_MAXIMUM * 2];
    char *line = submit_job_encode(&job);
    const char *at = strstr(line, from);
    assert_non_null(at);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - line), line, to, at + strlen(from));
    free(line);
    assert_false(submit_job_decode(changed, strlen(changed), &back, &error));
    assert_string_equal(error.message, reason);
}

static void test_refused_jobs(void **state)
{
    (void)state;
    assert_refused("\"number\":7", "\"number\":0",
                   "\"number\" is 0, not within 1 and 9223372036854775807");
    assert_refused("\"number\":7", "\"number\":\"7\"", "\"number\" is not a whole number");
    assert_refused("\"ehlo\":", "\"helo\":", "\"ehlo\" is missing");
    assert_refused("mx02.example\"", "mx02.example\\r\\nDATA\"",
                   "\"ehlo\" has a byte in it that SMTP does not bear");
    assert_refused("probe@mx02.example", "probe@mx02.example>",
                   "\"sender\" has a byte in it that SMTP does not bear");
    assert_refused("probe@mx01.example", "probe", "\"recipient\" is not an address");
    assert_refused("probe@mx01.example", "", "\"recipient\" is empty");
    assert_refused("\"port\":587", "\"port\":65536",
                   "\"relay\": \"port\" is 65536, not within 1 and 65535");
    assert_refused("\"starttls\"", "\"ssl\"", "\"relay\": \"tls\" is ssl, none of those known");
    assert_refused("mx01.example\"", "\"", "\"relay\": \"host\" is not a host's name");
    assert_refused("mx01.example\"", ".example\"", "\"relay\": \"host\" is not a host's name");
    assert_refused("w-1f3a", "w\\r\\nBcc: you", "\"maintenance\" has a control byte in it");
    assert_refused("\"fresh\"", "\"stale\"", "\"tag\": \"kind\" is none of those known");
    assert_refused("\"from\":\"mx02\"", "\"from\":\"mx 02\"",
                   "\"tag\": \"from\" is not a server's name");
    assert_refused("\"secret\":\"A", "\"secret\":\"*",
                   "\"key\": \"secret\" is not base64 of 16 to 64 bytes");
}

static void test_number_is_known_of_a_refused_job(void **state)
{
    (void)state;
    static const char LINE[] = "{\"number\":42,\"deadline\":\"soon\"}";
    struct submit_job job;
    struct error error;
    assert_false(submit_job_decode(LINE, strlen(LINE), &job, &error));
    assert_int_equal(job.number, 42);
}

static void test_lines_too_long(void **state)
{
    (void)state;
    char line[JSON_LINE_MAXIMUM + 1];
    struct submit_job job;
    struct submit_outcome outcome;
    struct error error;
    memset(line, '[', sizeof line);
    assert_false(submit_job_decode(line, sizeof line, &job, &error));
    assert_string_equal(error.message, "line of 8193 bytes is longer than 8192");
    assert_false(submit_outcome_decode(line, sizeof line, &outcome, &error));
}

static void test_refused_outcomes(void **state)
{
    (void)state;
    static const char *const LINES[] = {
        "",
        "null",
        "[]",
        "{\"number\":1}",
        "{\"number\":1,\"result\":\"sent\"}",
        "{\"number\":1,\"result\":\"accepted\",\"class\":\"2xx\",\"code\":1000}"};
    static const char *const REASONS[] = {
        "not JSON at byte 0: '[' or '{' expected near end of file",
        "not JSON at byte 4: '[' or '{' expected near 'null'",
        "not a JSON object",
        "\"result\" is missing",
        "\"result\" is sent, none of those known",
        "\"code\" is 1000, not within 0 and 999"};
    for (size_t i = 0; i < sizeof LINES / sizeof LINES[0]; i++) {
        struct submit_outcome outcome;
        struct error error;
        assert_false(submit_outcome_decode(LINES[i], strlen(LINES[i]), &outcome, &error));
        assert_string_equal(error.message, REASONS[i]);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(reply_class_name(REPLY_2XX), "2xx");
    assert_string_equal(reply_class_name(REPLY_DNS), "dns");
    assert_string_equal(submit_leg_name(LEG_DNS), "dns");
    assert_string_equal(submit_leg_name(LEG_SUBMIT), "submit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job_there_and_back),
        cmocka_unit_test(test_outcome_there_and_back),
        cmocka_unit_test(test_the_longest_outcome_is_a_line),
        cmocka_unit_test(test_reply_that_is_no_utf8),
        cmocka_unit_test(test_refused_jobs),
        cmocka_unit_test(test_number_is_known_of_a_refused_job),
        cmocka_unit_test(test_lines_too_long),
        cmocka_unit_test(test_refused_outcomes),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
