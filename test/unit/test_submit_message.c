// The message of a probe: its headers, folding, signature and size.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "probes/submit/message.h"

static struct submit_job plain_job(void)
{
    struct submit_job job = {
        .sender = "probe@mx02.example",
        .recipient = "probe@mx01.example",
        .tag = {.from = "mx02",
                .to = "mx01",
                .kind = PROBE_SLOT,
                .slot = 1041,
                .previous = 1040,
                .sent = walltime_from_microseconds(1154089141000123),
                .error = {250000},
                .next = SPAN_SECONDS(60),
                .drain = SPAN_SECONDS(4900)},
        .key = {.id = "k1", .secret = "0123456789abcdef", .secret_length = 16},
    };
    memset(job.tag.id.bytes, 0x5A, sizeof job.tag.id.bytes);
    return job;
}

static void compose(const struct submit_job *job, char message[MESSAGE_SIZE])
{
    struct error error;
    struct text text = text_over(message, MESSAGE_SIZE);
    assert_true(message_compose(job, &job->tag, &text, &error));
    assert_int_equal(strlen(message), text.length);
}

// The unfolded value of a header, as a receiver sees it: line ends before blanks taken out.
static bool find_header(const char *message, const char *name, char *out)
{
    char start[64];
    snprintf(start, sizeof start, "\r\n%s: ", name);
    const char *at = strstr(message, start);
    if (at == NULL) {
        return false;
    }
    for (at += strlen(start); at[0] != '\r' || at[2] == ' '; at++) {
        if (*at != '\r' && *at != '\n') {
            *out++ = *at;
        }
    }
    *out = '\0';
    return true;
}

static void fill_list(char list[TAG_LIST_SIZE], size_t length)
{
    memset(list, 'x', length);
    for (size_t i = 40; i < length; i += 41) {
        list[i] = ' ';
    }
    list[length] = '\0';
}

static void assert_verifies(const struct submit_job *job, const char *message)
{
    char values[TAG_HEADERS][TAG_LIST_SIZE];
    struct tag_values read = {{NULL}};
    struct mesh_keys keys = {.keys = {job->key}, .count = 1};
    struct error error;
    struct tag tag;
    for (int i = 0; i < TAG_HEADERS; i++) {
        if (find_header(message, tag_header_name((enum tag_header)i), values[i])) {
            read.of[i] = values[i];
        }
    }
    assert_true(tag_verify(&read, &keys, &error));
    assert_true(tag_parse_probe(read.of[TAG_PROBE], &tag, &error));
    assert_memory_equal(&tag, &job->tag, sizeof tag);
}

static void test_headers(void **state)
{
    (void)state;
    struct submit_job job = plain_job();
    char message[MESSAGE_SIZE], value[TAG_LIST_SIZE];
    compose(&job, message);
    assert_memory_equal(message, "Date: Fri, 28 Jul 2006 12:19:01 +0000\r\n", 39);
    assert_true(find_header(message, "From", value));
    assert_string_equal(value, "<probe@mx02.example>");
    assert_true(find_header(message, "To", value));
    assert_string_equal(value, "<probe@mx01.example>");
    assert_true(find_header(message, "Subject", value));
    assert_string_equal(value, "Mail flow probe mx02->mx01 1041");
    assert_true(find_header(message, "Auto-Submitted", value));
    assert_string_equal(value, "auto-generated");
    assert_true(find_header(message, "X-Auto-Response-Suppress", value));
    assert_string_equal(value, "All");
    assert_true(find_header(message, "Content-Type", value));
    assert_string_equal(value, "text/plain; charset=utf-8");
    assert_false(find_header(message, "Mailflow-Maintenance", value));
    assert_verifies(&job, message);
}

static void test_message_id_verifies_alone(void **state)
{
    (void)state;
    struct submit_job job = plain_job();
    struct mesh_keys keys = {.keys = {job.key}, .count = 1};
    struct tag tag;
    struct error error;
    char message[MESSAGE_SIZE], value[TAG_LIST_SIZE];
    compose(&job, message);
    assert_true(find_header(message, "Message-ID", value));
    assert_true(tag_parse_message_id(value, &keys, &tag, &error));
    assert_int_equal(tag.slot, 1041);
    assert_int_equal(tag.sent.ns, job.tag.sent.ns);
    assert_string_equal(strrchr(value, '@'), "@mx02.example>");
}

static void test_body_says_whom_to_ask(void **state)
{
    (void)state;
    struct submit_job job = plain_job();
    char message[MESSAGE_SIZE];
    compose(&job, message);
    const char *body = strstr(message, "\r\n\r\n");
    assert_non_null(body);
    assert_non_null(strstr(body, "probe of mailflow"));
    assert_non_null(strstr(body, "probe@mx02.example"));
}

// Every line ends in CR LF, none but the Message-ID is longer than 78, none is only blanks.
static void assert_lines_in_order(const char *message)
{
    for (const char *at = message; *at != '\0';) {
        size_t length = strcspn(at, "\r\n");
        assert_memory_equal(at + length, "\r\n", 2);
        assert_true(length <= 78 || strncmp(at, "Message-ID:", 11) == 0);
        assert_true(length == 0 || strspn(at, " ") < length);
        at += length + 2;
    }
}

static void test_lists_are_folded_and_signed(void **state)
{
    (void)state;
    struct submit_job job = plain_job();
    char message[MESSAGE_SIZE], value[TAG_LIST_SIZE];
    strcpy(job.maintenance, "ack=w-1f3a/2;  two blanks, and words words words words words words "
                            "words words until it must be folded at least once or twice");
    strcpy(job.receipts, "as_of=1154089141000000");
    strcpy(job.row, "mx03=ok mx04=bad");
    compose(&job, message);
    assert_lines_in_order(message);
    assert_true(find_header(message, "Mailflow-Maintenance", value));
    assert_string_equal(value, job.maintenance);
    assert_verifies(&job, message);
}

static void test_word_too_long_to_fold(void **state)
{
    (void)state;
    struct submit_job job = plain_job();
    char message[MESSAGE_SIZE], value[TAG_LIST_SIZE];
    memset(job.row, 'x', 300);
    compose(&job, message);
    assert_true(find_header(message, "Mailflow-Row", value));
    assert_string_equal(value, job.row);
    assert_verifies(&job, message);
}

static void test_size_without_lists(void **state)
{
    (void)state;
    struct submit_job job = plain_job();
    char message[MESSAGE_SIZE];
    compose(&job, message);
    assert_in_range(strlen(message), 900, 1400);
}

// The largest envelope (addresses, names, numbers) still leaves room for lists.
static void test_largest(void **state)
{
    (void)state;
    struct submit_job job = plain_job();
    char message[MESSAGE_SIZE];
    struct error error;
    struct text text = TEXT_OVER(message);
    memset(job.sender, 'a', 320);
    job.sender[64] = '@';
    memset(job.recipient, 'b', 320);
    job.recipient[64] = '@';
    memset(job.tag.from, 'f', SERVER_NAME_SIZE - 1);
    memset(job.tag.to, 't', SERVER_NAME_SIZE - 1);
    job.tag.slot = job.tag.previous = INT64_MAX;
    compose(&job, message);
    assert_in_range(strlen(message), 2000, 3000);
    size_t room = MESSAGE_SIZE - 1 - strlen(message) - strlen("Mailflow-Receipts: \r\n");
    fill_list(job.receipts, room * 38 / 41); // every word of 40 goes on a line of its own
    compose(&job, message);
    assert_verifies(&job, message);
    fill_list(job.receipts, TAG_LIST_SIZE - 1);
    fill_list(job.maintenance, TAG_LIST_SIZE - 1);
    assert_false(message_compose(&job, &job.tag, &text, &error));
    assert_string_equal(error.message, "the message would be larger than 4095 bytes");
}

// What is said before anything goes on the wire is what composing says, list by list longer.
static void test_what_fits_is_known_before(void **state)
{
    (void)state;
    struct submit_job job = plain_job();
    struct error error;
    unsigned fitting = 0;
    memset(job.sender, 'a', 200);
    job.sender[64] = '@';
    for (size_t length = 1; length < TAG_LIST_SIZE; length++) {
        char message[MESSAGE_SIZE];
        struct text text = TEXT_OVER(message);
        fill_list(job.maintenance, length);
        fill_list(job.row, length);
        bool fits = message_compose(&job, &job.tag, &text, &error);
        assert_int_equal(message_can_be_composed(&job, &error), fits);
        fitting += fits;
    }
    assert_in_range(fitting, 1000, TAG_LIST_SIZE - 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_message_id_verifies_alone),
        cmocka_unit_test(test_body_says_whom_to_ask),
        cmocka_unit_test(test_lists_are_folded_and_signed),
        cmocka_unit_test(test_word_too_long_to_fold),
        cmocka_unit_test(test_size_without_lists),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_what_fits_is_known_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
