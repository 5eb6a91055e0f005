// The lines between the agent and mailflow-collect: there and back, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "probes/probe.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct collect_command watch(void)
{
    struct collect_command command = {
        .kind = COLLECT_WATCH,
        .mailbox = "local",
        .endpoint = {.host = "imap.example",
                     .port = 993,
                     .tls = PROBE_TLS_IMPLICIT,
                     .ca_file = "/etc/ca.pem",
                     .user = "probe@mx01.example",
                     .password = "p\"a\\ss w\xC3\xB6rd"},
        .folders = {"INBOX", "Junk \"mail\""},
        .folder_count = 2,
        .keys = {.count = MESH_KEYS_MAXIMUM},
    };
    for (size_t i = 0; i < MESH_KEYS_MAXIMUM; i++) {
        struct mesh_key *key = &command.keys.keys[i];
        snprintf(key->id, sizeof key->id, "k%zu", i);
        key->secret_length = MESH_KEY_SECRET_MAXIMUM;
        memset(key->secret, (int)(200 + i), key->secret_length);
    }
    return command;
}

static struct collect_command deletion(size_t count)
{
    struct collect_command command = {
        .kind = COLLECT_DELETE,
        .mailbox = "local",
        .folder = "INBOX",
        .uid_validity = UINT32_MAX,
        .uid_count = count,
    };
    for (size_t i = 0; i < count; i++) {
        command.uids[i] = UINT32_MAX - (uint32_t)i;
    }
    return command;
}

static struct collect_report arrival(void)
{
    struct collect_report report = {
        .kind = COLLECT_ARRIVAL,
        .mailbox = "local",
        .folder = "INBOX",
        .uid_validity = 7,
        .uid = UINT32_MAX,
        .absent = {{1}, {2}},
        .asked = {{3}, {4}},
        .present = {{INT64_MAX}, {INT64_MIN}},
        .saved = {1795287409000000000},
        .stripped = true,
        .tag = {.from = "mx02",
                .to = "mx01",
                .kind = PROBE_ANSWER,
                .slot = 1041,
                .previous = 1040,
                .sent = {5},
                .error = {6},
                .next = {7},
                .drain = {8}},
        .maintenance = "w=\"1\"; \\",
        .receipts = "as_of=1",
        .row = "\xC3\xA4",
    };
    memset(report.tag.id.bytes, 0xA5, sizeof report.tag.id.bytes);
    return report;
}

static struct collect_report bounce(bool verified)
{
    struct collect_report report = {
        .kind = COLLECT_BOUNCE,
        .mailbox = "local",
        .folder = "Junk",
        .uid_validity = 7,
        .uid = 8,
        .present = {{1}, {2}},
        .verified = verified,
        .bounce = {BOUNCE_DELAYED, "4.4.1", "mx01.example", "\"refused\" \xC3\xA4", "probe@x",
                   "alias@x"},
    };
    if (verified) {
        report.tag = (struct tag){.from = "mx02", .to = "mx01", .slot = 1041, .sent = {5}};
    }
    memset(report.tag.id.bytes, 0x5A, sizeof report.tag.id.bytes);
    return report;
}

static void assert_command_there_and_back(const struct collect_command *command)
{
    struct collect_command back;
    struct error error = {""};
    char *line = collect_command_encode(command);
    assert_true(strlen(line) <= JSON_LINE_MAXIMUM);
    assert_string_equal(strchr(line, '\n'), "\n");
    if (!collect_command_decode(line, strlen(line), &back, &error)) {
        fail_msg("%s", error.message);
    }
    assert_memory_equal(command, &back, sizeof back);
    free(line);
}

static void assert_report_there_and_back(const struct collect_report *report)
{
    struct collect_report back;
    struct error error = {""};
    char *line = collect_report_encode(report);
    assert_true(strlen(line) <= JSON_LINE_MAXIMUM);
    assert_string_equal(strchr(line, '\n'), "\n");
    if (!collect_report_decode(line, strlen(line), &back, &error)) {
        fail_msg("%s", error.message);
    }
    assert_memory_equal(report, &back, sizeof back);
    free(line);
}

static void test_commands_there_and_back(void **state)
{
    (void)state;
    const struct collect_command commands[] = {
        watch(),
        {.kind = COLLECT_UNWATCH, .mailbox = "local"},
        deletion(0),
        deletion(1),
        deletion(COLLECT_UIDS_MAXIMUM),
    };
    for (size_t i = 0; i < COUNT(commands); i++) {
        assert_command_there_and_back(&commands[i]);
    }
}

static void test_reports_there_and_back(void **state)
{
    (void)state;
    const struct collect_report reports[] = {
        arrival(),
        {.kind = COLLECT_UP,
         .mailbox = "local",
         .cause = "folder Junk: refused",
         .legs = {{1}, {INT64_MAX}, {-1}, {4}}},
        {.kind = COLLECT_DOWN,
         .mailbox = "local",
         .cause = "imap.example:143: timed out",
         .legs = {{7}, {-1}, {-1}, {-1}}},
        {.kind = COLLECT_COMPLETE, .mailbox = "local", .at = {{1}, {2}}, .foreign = 12},
        {.kind = COLLECT_REJECTED,
         .mailbox = "local",
         .folder = "INBOX",
         .uid_validity = 1,
         .uid = 2,
         .rejection = REJECTED_TOO_BIG,
         .cause = "not signed"},
        bounce(true),
        bounce(false),
    };
    for (size_t i = 0; i < COUNT(reports); i++) {
        assert_report_there_and_back(&reports[i]);
    }
}

static void test_rejections_have_names(void **state)
{
    (void)state;
    assert_string_equal(rejection_name(REJECTED_SIGNATURE), "signature");
    assert_string_equal(rejection_name(REJECTED_MALFORMED), "malformed");
    assert_string_equal(rejection_name(REJECTED_TOO_BIG), "too_big");
}

// The line with its first `from` replaced, and why the decoder refuses it.
static void change(char *out, size_t size, const char *line, const char *from, const char *to)
{
    const char *at = strstr(line, from);
    assert_non_null(at);
    snprintf(out, size, "%.*s%s%s", (int)(at - line), line, to, at + strlen(from));
}

static void test_commands_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        const char *reason;
    } CASES[] = {
        {"\"command\":\"watch\"", "\"command\":\"look\"", "\"command\" is look"},
        {"\"command\":\"watch\",", "", "\"command\" is missing"},
        {"\"mailbox\":\"local\",", "", "\"mailbox\" is missing"},
        {"\"local\"", "7", "\"mailbox\" is not a string"},
        {"\"local\"", "\"a\\nb\"", "\"mailbox\" has a control byte"},
        {"\"port\":993", "\"port\":0", "\"port\" is 0"},
        {"\"port\":993", "\"port\":65536", "\"port\" is 65536"},
        {"\"implicit\"", "\"maybe\"", "\"tls\" is maybe"},
        {"\"host\":\"imap.example\"", "\"host\":\"a\\r\\nb\"", "\"host\" has a control byte"},
        {"\"folders\":[\"INBOX\",", "\"folders\":[\"\",", "\"folders\" 0 is not a folder's name"},
        {"\"folders\":[\"INBOX\",", "\"folders\":[\"a\\u0001\",", "\"folders\" 0 is not"},
        {"\"folders\":[\"INBOX\",", "\"folders\":[7,", "\"folders\" 0 is not"},
        {"\"folders\":[\"INBOX\",", "\"folders\":[1,2,3,4,5,6,7,8,", "\"folders\" has 9"},
        {"\"folders\"", "\"files\"", "\"folders\" is missing"},
        {"\"id\":\"k0\"", "\"id\":0", "\"keys\" 0: \"id\" is not a string"},
        {"\"secret\":\"yMjI", "\"secret\":\"%%%%", "\"keys\" 0: \"secret\" is not base64"},
    };
    struct collect_command command = watch(), back;
    char *line = collect_command_encode(&command);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char changed[JSON_LINE_MAXIMUM];
        struct error error = {""};
        change(changed, sizeof changed, line, CASES[i].from, CASES[i].to);
        assert_false(collect_command_decode(changed, strlen(changed), &back, &error));
        if (strstr(error.message, CASES[i].reason) == NULL) {
            fail_msg("\"%s\" instead of \"%s\"", error.message, CASES[i].reason);
        }
    }
    free(line);
}

static void test_deletes_that_are_none(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "\"uids\":[0]",     "\"uids\":[-1]",  "\"uids\":[4294967296]",
        "\"uids\":[\"1\"]", "\"uids\":[1.5]", "\"uids\":{}",
        "\"uids\":[[[1]]]", "\"uid\":[1]",    "\"uids\":[1],\"uids\":[2]",
    };
    struct collect_command command = deletion(1), back;
    char *line = collect_command_encode(&command);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char changed[JSON_LINE_MAXIMUM];
        struct error error = {""};
        change(changed, sizeof changed, line, "\"uids\":[4294967295]", CASES[i]);
        assert_false(collect_command_decode(changed, strlen(changed), &back, &error));
        assert_string_not_equal(error.message, "");
    }
    free(line);
}

static void test_too_many_uids(void **state)
{
    (void)state;
    char line[JSON_LINE_MAXIMUM] = "{\"command\":\"delete\",\"mailbox\":\"a\",\"folder\":\"b\","
                                   "\"uid_validity\":1,\"uids\":[1";
    for (int i = 0; i < COLLECT_UIDS_MAXIMUM; i++) {
        strcat(line, ",1");
    }
    strcat(line, "]}");
    struct collect_command back;
    struct error error = {""};
    assert_false(collect_command_decode(line, strlen(line), &back, &error));
    assert_non_null(strstr(error.message, "65 elements, more than 64"));
}

static void test_reports_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        const char *reason;
    } CASES[] = {
        {"\"report\":\"arrival\"", "\"report\":\"departure\"", "\"report\" is departure"},
        {"\"uid\":4294967295", "\"uid\":4294967296", "\"uid\" is 4294967296"},
        {"\"uid\":4294967295", "\"uid\":-1", "\"uid\" is -1"},
        {"\"absent\":{", "\"absent\":7,\"x\":{", "\"absent\" is not an object"},
        {"\"asked\":", "\"told\":", "\"asked\" is missing"},
        {"\"instant\":1,", "", "\"absent\": \"instant\" is missing"},
        {"\"saved\"", "\"spent\"", "\"saved\" is missing"},
        {"\"stripped\":true", "\"stripped\":1", "\"stripped\" is not true or false"},
        {"\"from\":\"mx02\"", "\"from\":\"m.x\"", "\"tag\": \"from\" is not a server's name"},
        {"\"row\":", "\"column\":", "\"row\" is missing"},
    };
    struct collect_report report = arrival(), back;
    char *line = collect_report_encode(&report);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char changed[JSON_LINE_MAXIMUM];
        struct error error = {""};
        change(changed, sizeof changed, line, CASES[i].from, CASES[i].to);
        assert_false(collect_report_decode(changed, strlen(changed), &back, &error));
        if (strstr(error.message, CASES[i].reason) == NULL) {
            fail_msg("\"%s\" instead of \"%s\"", error.message, CASES[i].reason);
        }
    }
    free(line);
}

static void test_lines_that_are_none(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "", "{", "[]", "null", "7", "{}", "{\"report\":\"rejected\"}"};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct collect_command command;
        struct collect_report report;
        struct error error = {""};
        assert_false(collect_command_decode(CASES[i], strlen(CASES[i]), &command, &error));
        assert_false(collect_report_decode(CASES[i], strlen(CASES[i]), &report, &error));
        assert_string_not_equal(error.message, "");
    }
}

static void test_bounces_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        const char *reason;
    } CASES[] = {
        {"\"action\":\"delayed\"", "\"action\":\"expanded\"", "\"action\" is none of those known"},
        {"\"status\":\"4.4.1\"", "\"status\":\"4.4.1 and more\"", "\"status\""},
        {"\"diagnostic\":\"", "\"diagnostic\":\"\\n", "\"diagnostic\" has a control byte"},
        {"\"probe\":\"", "\"probe\":\"a", "\"probe\""},
        {"\"recipient\"", "\"sender\"", "\"recipient\" is missing"},
        {"\"original_recipient\"", "\"x\"", "\"original_recipient\" is missing"},
    };
    struct collect_report report = bounce(true), back;
    char *line = collect_report_encode(&report);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char changed[JSON_LINE_MAXIMUM];
        struct error error = {""};
        change(changed, sizeof changed, line, CASES[i].from, CASES[i].to);
        assert_false(collect_report_decode(changed, strlen(changed), &back, &error));
        if (strstr(error.message, CASES[i].reason) == NULL) {
            fail_msg("\"%s\" instead of \"%s\"", error.message, CASES[i].reason);
        }
    }
    free(line);
}

// A server's words may be any bytes: the line is JSON all the same.
static void test_causes_that_are_no_utf8(void **state)
{
    (void)state;
    struct collect_report report = {.kind = COLLECT_DOWN, .mailbox = "a", .cause = "b\xFF!"}, back;
    struct error error = {""};
    char *line = collect_report_encode(&report);
    assert_true(collect_report_decode(line, strlen(line), &back, &error));
    assert_int_equal(strncmp(back.cause, "b", 1), 0);
    assert_non_null(strchr(back.cause, '!'));
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_there_and_back),
        cmocka_unit_test(test_reports_there_and_back),
        cmocka_unit_test(test_rejections_have_names),
        cmocka_unit_test(test_commands_that_are_none),
        cmocka_unit_test(test_deletes_that_are_none),
        cmocka_unit_test(test_too_many_uids),
        cmocka_unit_test(test_reports_that_are_none),
        cmocka_unit_test(test_bounces_that_are_none),
        cmocka_unit_test(test_lines_that_are_none),
        cmocka_unit_test(test_causes_that_are_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
