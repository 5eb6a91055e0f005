// The way of one probe as the API has it: hops, deltas, route, authentication.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "base/text.h"
#include "shell/api_probe.h"

static int setup(void **state)
{
    *state = agent_fixture_create(2);
    return 0;
}

static int teardown(void **state)
{
    agent_fixture_destroy(*state);
    return 0;
}

static void assert_members(const json_t *object, const char *const *members, const char *expected)
{
    json_t *some = json_object();
    for (; *members != NULL; members++) {
        json_object_set(some, *members, json_object_get(object, *members));
    }
    char *text = json_dumps(some, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert_string_equal(text, expected);
    free(text);
    json_decref(some);
}

static struct store_probe arrived_probe(void)
{
    return (struct store_probe){
        .record = {.id = {{1}},
                   .peer = "mx02",
                   .direction = INBOUND,
                   .kind = PROBE_SLOT,
                   .state = PROBE_ARRIVED,
                   .verdict = VERDICT_ON_TIME,
                   .sent = WALL(0),
                   .arrived = WALL(15),
                   .latency = SPAN_SECONDS(15),
                   .latency_error = SPAN_MS(350)},
        .reply_class = -1,
        .folder = "Junk",
        .absent = {WALL(15).ns - 100000000},
        .present = WALL(15),
    };
}

static void put(struct agent *agent, const struct store_probe *probe, const struct trace *trace,
                bool rerouted)
{
    struct error error;
    json_t *object = trace_to_json(trace);
    char *text = json_dumps(object, JSON_COMPACT);
    store_put_probe(agent->store, &probe->record);
    store_put_trace(agent->store, &probe->record.id, text, rerouted);
    assert_true(store_commit(agent->store, STORE_FAST, &error));
    free(text);
    json_decref(object);
}

static const char *const WAY[] = {
    "hops",         "hops_more", "hops_cut",       "delivery", "slowest",
    "way_known_at", "route",     "authentication", "folder",   NULL};

static void test_way_with_everything(void **state)
{
    struct store_probe probe = arrived_probe();
    struct trace trace = {
        .hops = {{"a<b>", "unknown [10.0.0.1]", "mx02.example", "ESMTPS", "TLSv1.3", "4F", WALL(1)},
                 {.by = "MX03.example"},
                 {.by = "mx01.example", .time = WALL(14)}},
        .count = 3,
        .more = 2,
        .authentication = {.authserv_id = "mx01.example",
                           .results = {[AUTH_SPF] = AUTH_PASS, [AUTH_DKIM] = AUTH_FAIL},
                           .reasons = {[AUTH_DKIM] = "bad signature"}},
    };
    put(*state, &probe, &trace, true);
    json_t *object = api_json_probe_whole(*state, &probe, MOMENT(100));
    assert_members(
        object, WAY,
        "{\"hops\":[{\"from\":\"a<b>\",\"from_seen\":\"unknown [10.0.0.1]\","
        "\"by\":\"mx02.example\",\"protocol\":\"ESMTPS\",\"tls\":\"TLSv1.3\",\"queue_id\":\"4F\","
        "\"time\":\"2026-09-21T14:13:21.000000Z\",\"delta_seconds\":1.0,"
        "\"delta_error_seconds\":1.25,\"slowest\":false,\"time_wrong\":false},"
        "{\"from\":null,\"from_seen\":null,\"by\":\"MX03.example\",\"protocol\":null,\"tls\":null,"
        "\"queue_id\":null,\"time\":null,\"delta_seconds\":null,\"delta_error_seconds\":null,"
        "\"slowest\":false,\"time_wrong\":false},"
        "{\"from\":null,\"from_seen\":null,\"by\":\"mx01.example\",\"protocol\":null,\"tls\":null,"
        "\"queue_id\":null,\"time\":\"2026-09-21T14:13:34.000000Z\",\"delta_seconds\":13.0,"
        "\"delta_error_seconds\":1.0,\"slowest\":true,\"time_wrong\":false}],"
        "\"hops_more\":2,\"hops_cut\":false,"
        "\"delivery\":{\"delta_seconds\":1.0,\"delta_error_seconds\":1.1,\"slowest\":false,"
        "\"time_wrong\":false},\"slowest\":{\"hop\":\"mx01.example\",\"hop_from\":\"mx02.example\","
        "\"queue_id\":\"4F\",\"delay_seconds\":13.0,\"error_seconds\":1.0,\"skipped\":1},"
        "\"way_known_at\":null,"
        "\"route\":{\"hosts\":[\"mx02.example\",\"mx03.example\",\"mx01.example\"],"
        "\"changed\":true},\"authentication\":{\"authserv_id\":\"mx01.example\",\"spf\":\"pass\","
        "\"dkim\":\"fail\",\"dmarc\":null,\"arc\":null,\"reasons\":{\"dkim\":\"bad signature\"}},"
        "\"folder\":\"Junk\"}");
    json_decref(object);
}

static void test_nothing_known(void **state)
{
    struct store_probe probe = arrived_probe();
    json_t *object = api_json_probe_whole(*state, &probe, MOMENT(100));
    assert_members(object, WAY,
                   "{\"hops\":[],\"hops_more\":0,\"hops_cut\":false,\"delivery\":null,"
                   "\"slowest\":null,\"way_known_at\":null,"
                   "\"route\":null,\"authentication\":null,\"folder\":\"Junk\"}");
    json_decref(object);
}

// A stamp after the arrival is said to be wrong, and what was left out is not blamed on the agent.
static void test_a_wrong_clock(void **state)
{
    static const char *const SLOWEST[] = {"slowest", NULL};
    struct store_probe probe = arrived_probe();
    struct trace trace = {.hops = {{.by = "mx02.example", .queue_id = "4F", .time = WALL(86400)},
                                   {.by = "mx01.example", .time = WALL(14)}},
                          .count = 2,
                          .more = 2};
    put(*state, &probe, &trace, false);
    json_t *object = api_json_probe_whole(*state, &probe, MOMENT(100));
    json_t *wrong = json_array_get(json_object_get(object, "hops"), 0);
    assert_true(json_is_true(json_object_get(wrong, "time_wrong")));
    assert_members(object, SLOWEST,
                   "{\"slowest\":{\"hop\":\"mx01.example\",\"hop_from\":\"an earlier hop\","
                   "\"queue_id\":null,\"delay_seconds\":14.0,\"error_seconds\":1.25,"
                   "\"skipped\":1}}");
    json_decref(object);
}

// The sender, who has it by a receipt, is told whom to ask; of what flies nobody knows.
static void test_a_way_known_elsewhere(void **state)
{
    static const char *const KNOWN[] = {"way_known_at", NULL};
    struct store_probe probe = arrived_probe();
    probe.record.direction = OUTBOUND;
    json_t *object = api_json_probe_whole(*state, &probe, MOMENT(100));
    assert_members(object, KNOWN, "{\"way_known_at\":\"mx02\"}");
    json_decref(object);
    text_copy(probe.mailbox, sizeof probe.mailbox, "gmail-box");
    object = api_json_probe_whole(*state, &probe, MOMENT(100));
    assert_members(object, KNOWN, "{\"way_known_at\":null}");
    json_decref(object);
    probe.mailbox[0] = '\0';
    probe.record.arrived = WALLTIME_NONE;
    object = api_json_probe_whole(*state, &probe, MOMENT(100));
    assert_members(object, KNOWN, "{\"way_known_at\":null}");
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_way_with_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_known, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_wrong_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_way_known_elsewhere, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
