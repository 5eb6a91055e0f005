// The way of a message out of its header section: which hops, in which order, whose word of its
// authentication, and nothing that anyone could write there to break it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "base/random.h"
#include "base/text.h"
#include "probes/collect/auth_results.h"
#include "probes/collect/trace_block.h"
#include "probes/probe.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct trace trace;

static void read_text(const char *text, const char *authserv_id)
{
    trace_block_read(text, strlen(text), false, authserv_id, &trace);
}

static const char WAY[] =
    "Received: from mx03.example by mx02.example with ESMTPS id C;\r\n"
    " Thu, 26 Nov 2026 15:00:12 +0000\r\n"
    "Authentication-Results: MX02.example; spf=pass smtp.mailfrom=mx01.example;"
    " dkim=fail (bad signature) header.d=x; dkim=pass header.d=y\r\n"
    "Received: from mx01.example by MX03.example. with ESMTP id B;\r\n"
    " Thu, 26 Nov 2026 15:00:01 +0000\r\n"
    "Authentication-Results: mx02.example; spf=fail; arc=pass\r\n"
    "Received: by mx01.example with ESMTP id A; 26 Nov 2026 15:00:00 GMT\r\n"
    "Received: by 2002:a05:6e02 with SMTP id D; 26 Nov 2026 14:59:59 GMT\r\n"
    "\r\n"
    "Received: by the.body\r\n";

static void test_oldest_first(void **state)
{
    (void)state;
    char route[ROUTE_SIZE];
    read_text(WAY, "mx02.example");
    assert_int_equal(trace.count, 4);
    assert_string_equal(trace.hops[0].queue_id, "D");
    assert_string_equal(trace.hops[3].queue_id, "C");
    assert_int_equal(trace.more, 0);
    assert_false(trace.cut);
    trace_route(&trace, route);
    assert_string_equal(route, "mx01.example mx03.example mx02.example");
}

static void test_only_the_topmost_of_ours_counts(void **state)
{
    (void)state;
    read_text(WAY, "mx02.example");
    const struct authentication *found = &trace.authentication;
    assert_string_equal(found->authserv_id, "mx02.example");
    assert_int_equal(found->results[AUTH_SPF], AUTH_PASS);
    assert_int_equal(found->results[AUTH_DKIM], AUTH_PASS);
    assert_int_equal(found->results[AUTH_DMARC], AUTH_ABSENT);
    assert_int_equal(found->results[AUTH_ARC], AUTH_ABSENT);
    read_text(WAY, "mx03.example");
    assert_string_equal(trace.authentication.authserv_id, "");
    read_text(WAY, "");
    assert_string_equal(trace.authentication.authserv_id, "");
    read_text("Authentication-Results: evil.example; spf=pass; dkim=pass; dmarc=pass\r\n"
              "Authentication-Results: mx02.example; spf=fail\r\n"
              "Authentication-Results: mx02.example; spf=pass; dmarc=pass\r\n",
              "mx02.example");
    assert_int_equal(trace.authentication.results[AUTH_SPF], AUTH_FAIL);
    assert_int_equal(trace.authentication.results[AUTH_DMARC], AUTH_ABSENT);
}

static const struct verdict_case {
    const char *value;
    enum auth_result results[AUTH_METHODS];
    const char *reasons[AUTH_METHODS];
} VERDICTS_OF[] = {
    {"m; none", {AUTH_ABSENT}, {0}},
    {"m", {AUTH_ABSENT}, {0}},
    {"m 1; spf=pass", {AUTH_PASS}, {0}},
    {"(c) m (c) 1 (c) ; (c) spf (c) / (c) 1 (c) = (c) pass", {AUTH_PASS}, {0}},
    {"\"m\"; SPF=SoftFail (sender IP is 10.0.0.1) smtp.mailfrom=x",
     {AUTH_SOFTFAIL},
     {"sender IP is 10.0.0.1"}},
    {"m; dkim=fail reason=\"body hash did not verify\" (x) header.d=y; dmarc=fail (p=reject)",
     {AUTH_ABSENT, AUTH_FAIL, AUTH_FAIL},
     {NULL, "body hash did not verify", "p=reject"}},
    {"m; dkim=none; dkim=temperror; arc=none",
     {AUTH_ABSENT, AUTH_NONE, AUTH_ABSENT, AUTH_NONE},
     {0}},
    {"m; dkim=fail (a); dkim=pass (b)", {AUTH_ABSENT, AUTH_PASS}, {NULL, "b"}},
    {"m;; ;spf=bestguess;dkim=;=pass;dmarc;arc==pass;spf=pass", {AUTH_PASS}, {0}},
    {"m; iprev=pass; x-spf=fail; auth=pass smtp.auth=a", {AUTH_ABSENT}, {0}},
    {"m; spf=permerror reason=\"<b>\x01\\\"\"", {AUTH_PERMERROR}, {"<b>?/'"}},
    {"m; spf=pass (unclosed; dkim=fail", {AUTH_PASS}, {"unclosed; dkim=fail"}},
};

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(VERDICTS_OF); i++) {
        const struct verdict_case *expected = &VERDICTS_OF[i];
        struct authentication found;
        print_message("%s\n", expected->value);
        assert_true(auth_results_read(expected->value, strlen(expected->value), "M", &found));
        for (int method = 0; method < AUTH_METHODS; method++) {
            const char *reason = expected->reasons[method];
            assert_int_equal(found.results[method], expected->results[method]);
            assert_string_equal(found.reasons[method], reason == NULL ? "" : reason);
        }
    }
    static const char *const OTHERS[] = {
        "", ";", "mm; spf=pass", "m.example; spf=pass", "(m)", "; m; spf=pass", "=m; spf=pass"};
    for (size_t i = 0; i < COUNT(OTHERS); i++) {
        struct authentication found;
        assert_false(auth_results_read(OTHERS[i], strlen(OTHERS[i]), "m", &found));
    }
}

static void test_two_hundred_hops(void **state)
{
    (void)state;
    static char text[32768];
    struct text out = TEXT_OVER(text);
    for (int i = 200; i > 0; i--) {
        text_format(&out, "Received: by mx%03d.example; 26 Nov 2026 15:00:00 GMT\r\n", i);
    }
    read_text(text, "");
    assert_int_equal(trace.count, HOPS_MAXIMUM);
    assert_int_equal(trace.more, 200 - HOPS_MAXIMUM);
    assert_string_equal(trace.hops[HOPS_MAXIMUM - 1].by, "mx200.example");
    assert_string_equal(trace.hops[0].by, "mx169.example");
    char route[ROUTE_SIZE], other[ROUTE_SIZE];
    trace_route(&trace, route);
    assert_true(strlen(route) < ROUTE_SIZE);
    memcpy(trace.hops[HOPS_MAXIMUM - 1].by, "mx201", 5); // far behind what is shown
    trace_route(&trace, other);
    assert_string_not_equal(route, other);
    assert_int_equal(strncmp(route, other, 200), 0);

    trace_block_read(text, 500, true, "", &trace); // cut amid a header, which does not count
    assert_true(trace.cut);
    assert_int_equal(trace.count, 500 / 53);
    assert_true(trace.hops[0].time.ns != 0);
}

static void test_routes(void **state)
{
    (void)state;
    char route[ROUTE_SIZE];
    read_text("Received: by mx2 id 3\r\nReceived: by MX2. id 2\r\nReceived: by [10.0.0.1] id 1\r\n"
              "Received: by localhost id 1\r\nReceived: by 10.0.0.1 id 0\r\n"
              "Received: from nobody\r\nReceived: by a/../../b<script> id 1\r\n",
              "");
    trace_route(&trace, route);
    assert_string_equal(route, "mx2");
    read_text("Subject: x\r\n", "");
    trace_route(&trace, route);
    assert_string_equal(route, "");
    assert_false(trace_known(&trace));
}

// As it goes to the agent, and from there into the ledger.
static void round_trip(const struct trace *from)
{
    static struct trace back;
    struct error error;
    json_t *object = trace_to_json(from);
    back = (struct trace){0};
    if (!trace_from_json(object, &back, &error)) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(back.count, from->count);
    assert_memory_equal(back.hops, from->hops, from->count * sizeof from->hops[0]);
    assert_int_equal(back.more, from->more);
    assert_int_equal(back.cut, from->cut);
    assert_memory_equal(&back.authentication, &from->authentication, sizeof back.authentication);
    json_decref(object);
}

static void zero_behind_texts(struct trace *of)
{
    // what stands behind the end of a text is nobody's business
    for (size_t i = 0; i < of->count; i++) {
        struct hop hop = {.time = of->hops[i].time};
        text_copy(hop.from, sizeof hop.from, of->hops[i].from);
        text_copy(hop.seen, sizeof hop.seen, of->hops[i].seen);
        text_copy(hop.by, sizeof hop.by, of->hops[i].by);
        text_copy(hop.protocol, sizeof hop.protocol, of->hops[i].protocol);
        text_copy(hop.tls, sizeof hop.tls, of->hops[i].tls);
        text_copy(hop.queue_id, sizeof hop.queue_id, of->hops[i].queue_id);
        of->hops[i] = hop;
    }
    struct authentication *found = &of->authentication;
    struct authentication clean = {{0}, {0}, {{0}}};
    text_copy(clean.authserv_id, sizeof clean.authserv_id, found->authserv_id);
    for (int i = 0; i < AUTH_METHODS; i++) {
        clean.results[i] = found->results[i];
        if (found->results[i] != AUTH_ABSENT) {
            text_copy(clean.reasons[i], sizeof clean.reasons[i], found->reasons[i]);
        }
    }
    *found = clean;
}

static void check_line(const struct trace *of)
{
    struct collect_report report = {.kind = COLLECT_TRACE, .mailbox = "m", .folder = "INBOX"};
    report.trace = *of;
    char *line = collect_report_encode(&report);
    assert_true(strlen(line) <= JSON_LINE_MAXIMUM);
    free(line);
}

static void test_json(void **state)
{
    (void)state;
    struct error error;
    static struct trace back;
    read_text(WAY, "mx02.example");
    zero_behind_texts(&trace);
    round_trip(&trace);
    static const char *const BAD[] = {
        "{}",
        "{\"hops\":[[]],\"more\":0,\"cut\":false}",
        "{\"hops\":[[1,\"\",\"\",\"\",\"\",\"\",0]],\"more\":0,\"cut\":false}",
        "{\"hops\":[[\"\",\"\",\"\",\"\",\"\",\"\",\"\"]],\"more\":0,\"cut\":false}",
        "{\"hops\":[],\"more\":-1,\"cut\":false}",
        "{\"hops\":[],\"more\":0,\"cut\":0}",
        "{\"hops\":[],\"more\":0,\"cut\":false,\"authentication\":{}}",
        "{\"hops\":[],\"more\":0,\"cut\":false,\"authentication\":{\"authserv_id\":\"m\",\"spf\":[]"
        "}}",
    };
    for (size_t i = 0; i < COUNT(BAD); i++) {
        json_t *object = json_loads(BAD[i], 0, NULL);
        assert_non_null(object);
        assert_false(trace_from_json(object, &back, &error));
        json_decref(object);
    }
}

// Bytes changed, dropped, doubled and inserted in a way of as many headers as are read.
static void test_mutations(void **state)
{
    (void)state;
    static const char LIKELY[] = "()();;\"\\<>=/,:. \r\n\t\0\x01\x7f\xff"
                                 "09";
    static char text[7168];
    uint64_t seed;
    const char *given = getenv("MAILFLOW_TEST_SEED");
    random_bytes(&seed, sizeof seed);
    seed = given == NULL ? seed : strtoull(given, NULL, 10);
    print_message("seed %llu (MAILFLOW_TEST_SEED repeats it)\n", (unsigned long long)seed);
    struct random_stream random = random_stream_from(seed);
    for (int round = 0; round < 20000; round++) {
        size_t length = 0;
        while (length + sizeof WAY < sizeof text && random_stream_next(&random) % 4 != 0) {
            memcpy(text + length, WAY, sizeof WAY - 1 - 23); // without the body
            length += sizeof WAY - 1 - 23 - 2;
        }
        for (uint64_t changes = random_stream_next(&random) % 32; length > 1 && changes > 0;
             changes--) {
            size_t at = random_stream_next(&random) % length;
            size_t span = random_stream_next(&random) % 64 % (length - at);
            switch (random_stream_next(&random) % 3) {
            case 0:
                text[at] = LIKELY[random_stream_next(&random) % (sizeof LIKELY - 1)];
                break;
            case 1:
                memmove(text + at, text + at + span, length - at - span);
                length -= span;
                break;
            default:
                memset(text + at, LIKELY[random_stream_next(&random) % (sizeof LIKELY - 1)], span);
            }
        }
        // In memory of its own, so that a byte too far is seen.
        char *exact = malloc(length + 1);
        memcpy(exact, text, length);
        char *fitting = realloc(exact, length == 0 ? 1 : length);
        assert_non_null(fitting);
        trace_block_read(fitting, length, random_stream_next(&random) % 2 == 0, "mx02.example",
                         &trace);
        free(fitting);
        check_line(&trace);
        zero_behind_texts(&trace);
        round_trip(&trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oldest_first), cmocka_unit_test(test_only_the_topmost_of_ours_counts),
        cmocka_unit_test(test_verdicts),     cmocka_unit_test(test_two_hundred_hops),
        cmocka_unit_test(test_routes),       cmocka_unit_test(test_json),
        cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
