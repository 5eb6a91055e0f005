// The views of one path and of one probe, and the latency over time behind them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "page_check.h"
#include "shell/api_latency.h"
#include "shell/http_message.h"
#include "shell/page_path.h"
#include "shell/page_probe.h"
#include "shell/smoke.h"

#define NOW 86400
// What must not come through as it is, in a field of any size.
#define HOSTILE "<script>\x01\"'&\xff</td>\n"

static int setup(void **state)
{
    *state = agent_fixture_create(1);
    return 0;
}

static int teardown(void **state)
{
    agent_fixture_destroy(*state);
    return 0;
}

// ---- what is in the ledger ----

static struct probe_record record_of(unsigned number, int64_t sent, double latency,
                                     enum verdict verdict)
{
    struct probe_record record = {.peer = "mx02",
                                  .direction = OUTBOUND,
                                  .state = PROBE_ARRIVED,
                                  .verdict = verdict,
                                  .slot = number,
                                  .planned = WALL(sent),
                                  .sent = WALL(sent),
                                  .accepted = WALL(sent),
                                  .latency = span_from_seconds(latency),
                                  .latency_error = SPAN_MS(2)};
    memcpy(record.id.bytes, &number, sizeof number);
    if (latency >= 0) {
        record.arrived = walltime_add(record.sent, record.latency);
    } else {
        record.latency = SPAN_ZERO;
        record.state = verdict == VERDICT_LOST ? PROBE_LOST : PROBE_ACCEPTED;
    }
    return record;
}

static void put(struct agent *agent, unsigned number, int64_t sent, double latency,
                enum verdict verdict)
{
    struct probe_record record = record_of(number, sent, latency, verdict);
    store_put_probe(agent->store, &record);
}

static void commit(struct agent *agent)
{
    struct error error;
    assert_true(store_commit(agent->store, STORE_FAST, &error));
}

static struct smoke *gather(struct agent *agent, const char *range)
{
    static struct smoke smoke;
    smoke_begin(&smoke, "mx02", OUTBOUND, smoke_range_find(range), WALL(NOW));
    while (smoke_gather(&smoke, agent->store)) {
    }
    return &smoke;
}

// ---- smoke ----

static void test_a_bucket_has_the_quantiles_of_its_probes(void **state)
{
    for (unsigned i = 0; i <= 100; i++) {
        put(*state, i + 1, NOW - 600 + (int64_t)i / 10, i / 1000.0, VERDICT_ON_TIME);
    }
    commit(*state);
    struct smoke *smoke = gather(*state, "24h");
    const struct smoke_bucket *bucket = NULL;
    for (size_t i = 0; i < smoke->bucket_count; i++) {
        bucket = smoke->buckets[i].count > 0 ? &smoke->buckets[i] : bucket;
    }
    assert_non_null(bucket);
    assert_int_equal(bucket->count, 16); // of the 101 in one slice
    assert_int_equal(bucket->quantiles[SMOKE_P50].ns, 7500000);
    assert_int_equal(bucket->quantiles[SMOKE_P5].ns, 750000);
    assert_int_equal(bucket->quantiles[SMOKE_P95].ns, 14250000);
}

static void test_buckets_cover_the_whole_range(void **state)
{
    for (int i = 0; i < SMOKE_RANGES; i++) {
        struct smoke *smoke = gather(*state, SMOKE_RANGE[i].name);
        const struct smoke_bucket *last = &smoke->buckets[smoke->bucket_count - 1];
        assert_true(smoke->bucket_count < SMOKE_BUCKETS_MAXIMUM);
        assert_true(walltime_since(smoke->to, last->at).ns < smoke->range->bucket.ns);
        assert_true(walltime_since(smoke->to, smoke->from).ns >= smoke->range->length.ns);
    }
}

// Story 2: what one flush brings is one mark, and is not in the buckets.
static void test_a_flush_is_one_mark(void **state)
{
    put(*state, 1, NOW - 3600, 2926, VERDICT_EXCUSED);
    put(*state, 2, NOW - 3600 + 899, 2027, VERDICT_EXCUSED);
    put(*state, 3, NOW - 3600 + 1799, 1127, VERDICT_DRAINED);
    put(*state, 4, NOW - 3600 + 2699, 227, VERDICT_DRAINED);
    put(*state, 5, NOW - 300, 82, VERDICT_LATE);
    put(*state, 6, NOW - 200, -1, VERDICT_LOST);
    put(*state, 7, NOW - 100, -1, VERDICT_OPEN);
    commit(*state);
    struct smoke *smoke = gather(*state, "24h");
    assert_int_equal(smoke->mark_count, 3);
    assert_int_equal(smoke->troubled, 6);
    assert_int_equal(smoke->marks[0].verdict, VERDICT_LOST);
    assert_int_equal(smoke->marks[0].at.ns, WALL(NOW - 200).ns);
    assert_int_equal(smoke->marks[1].verdict, VERDICT_LATE);
    assert_int_equal(smoke->marks[2].count, 4);
    assert_int_equal(smoke->marks[2].verdict, VERDICT_DRAINED);
    assert_int_equal(smoke->marks[2].latency.ns, SPAN_SECONDS(2926).ns);
    assert_int_equal(smoke->marks[2].first_sent.ns, WALL(NOW - 3600).ns);
    assert_int_equal(smoke->marks[2].last_sent.ns, WALL(NOW - 901).ns);
    unsigned in_buckets = 0;
    for (size_t i = 0; i < smoke->bucket_count; i++) {
        in_buckets += smoke->buckets[i].count;
    }
    assert_int_equal(in_buckets, 1); // the late one
}

static void test_marks_are_bounded(void **state)
{
    for (unsigned i = 0; i < SMOKE_MARKS_MAXIMUM + 10; i++) {
        put(*state, i + 1, NOW - 80000 + (int64_t)i * 100, 70, VERDICT_LATE);
    }
    commit(*state);
    struct smoke *smoke = gather(*state, "24h");
    assert_int_equal(smoke->mark_count, SMOKE_MARKS_MAXIMUM);
    assert_true(smoke->more_marks);
}

static void test_the_other_way_is_another_path(void **state)
{
    static struct smoke smoke;
    struct agent *agent = *state;
    put(agent, 1, NOW - 300, 82, VERDICT_LATE);
    commit(agent);
    smoke_begin(&smoke, "mx02", INBOUND, smoke_range_find("1h"), WALL(NOW));
    while (smoke_gather(&smoke, agent->store)) {
    }
    struct span least, greatest;
    assert_int_equal(smoke.mark_count, 0);
    assert_false(smoke_extent(&smoke, &least, &greatest));
}

// ---- a path ----

typedef void answerer(struct agent *agent, const struct http_request *request,
                      struct http_response *response);

static char *ask(struct agent *agent, answerer *answerer_of, const char *name, const char *value,
                 const char *range, int status)
{
    struct http_request request = {.now = MOMENT(NOW), .argument_count = 2};
    struct http_response response = {0};
    request.arguments[0] = (struct http_argument){name, value};
    request.arguments[1] = (struct http_argument){"range", range};
    answerer_of(agent, &request, &response);
    assert_int_equal(response.status, status);
    return agent_fixture_take_body(&response);
}

static void test_a_path_is_drawn(void **state)
{
    struct agent *agent = *state;
    struct window window = {.id = "w-1",
                            .revision = 1,
                            .server = "mx02",
                            .begin = WALL(NOW - 7200),
                            .end = WALL(NOW - 5400),
                            .by = "root@mx02"};
    core_restore_window(agent->core, &window);
    for (unsigned i = 0; i < 300; i++) {
        put(agent, i + 1, NOW - 80000 + (int64_t)i * 200, 0.2 + i % 7 * 0.05, VERDICT_ON_TIME);
    }
    put(agent, 1000, NOW - 3000, 100, VERDICT_LATE);
    commit(agent);
    char *page = ask(agent, page_path_answer, "name", "mx01->mx02", "", 200);
    page_check(page);
    page_has(page, "<title>mx01-&gt;mx02 - mailflow</title>");
    page_has(page,
             "<a href=\"/path?name=mx01-%3Emx02&amp;range=24h\" aria-current=\"page\">24h</a>");
    page_has(page, "data-source=\"/api/v1/latency?path=mx01-%3Emx02&amp;range=24h\"");
    page_has(page, "<rect class=\"shade\" x=\"91.");
    page_has(page, "<path class=\"median\" d=\"M");
    page_has(page, "<title>1 late, 1 min 40 s, 2026-09-22 13:25:00</title>");
    page_has(page, "late after 60 s</text>");
    page_has(page, ">100 ms</text>");
    page_has(page, ">10 min</text>");
    free(page);
}

static void test_an_empty_path_says_so(void **state)
{
    char *page = ask(*state, page_path_answer, "name", "mx02->mx01", "30d", 200);
    page_check(page);
    page_has(page, "There is none yet.");
    free(page);
}

static void test_a_path_that_is_none(void **state)
{
    char *page = ask(*state, page_path_answer, "name", HOSTILE, "", 404);
    page_check(page);
    page_has(page, "no path &#39;&lt;script&gt;");
    free(page);
    page = ask(*state, page_path_answer, "name", "mx02->mx01", HOSTILE, 404);
    page_check(page);
    free(page);
}

static void test_hostile_values_in_the_newest_probes(void **state)
{
    struct agent *agent = *state;
    struct submit_outcome outcome = {.result = SUBMIT_REFUSED};
    put(agent, 1, NOW - 300, 82, VERDICT_LATE);
    struct probe_record record = record_of(1, NOW - 300, 82, VERDICT_LATE);
    memset(outcome.reply, '"', sizeof outcome.reply - 1);
    memcpy(outcome.reply, HOSTILE, sizeof HOSTILE - 1);
    store_put_outcome(agent->store, &record.id, &outcome);
    commit(agent);
    char *page = ask(agent, page_path_answer, "name", "mx01->mx02", "1h", 200);
    page_check(page);
    page_has(page, "&lt;script&gt;\\x01&quot;&#39;&amp;\\xff&lt;/td&gt;\\n&quot;&quot;");
    free(page);
}

// ---- the same as JSON ----

static void test_latency_as_json(void **state)
{
    put(*state, 1, NOW - 300, 0.25, VERDICT_ON_TIME);
    put(*state, 2, NOW - 200, 82, VERDICT_LATE);
    commit(*state);
    char *body = ask(*state, api_read_latency, "path", "mx01->mx02", "1h", 200);
    json_t *latency = json_loads(body, 0, NULL);
    assert_non_null(latency);
    assert_string_equal(json_string_value(json_object_get(latency, "path")), "mx01->mx02");
    assert_int_equal(json_array_size(json_object_get(latency, "buckets")), 61);
    assert_int_equal(json_array_size(json_object_get(latency, "windows")), 0);
    json_t *mark = json_array_get(json_object_get(latency, "marks"), 0);
    assert_string_equal(json_string_value(json_object_get(mark, "verdict")), "late");
    assert_true(json_number_value(json_object_get(mark, "latency_seconds")) == 82.0);
    double median = 0;
    size_t i;
    json_t *bucket;
    json_array_foreach(json_object_get(latency, "buckets"), i, bucket)
    {
        if (json_integer_value(json_object_get(bucket, "count")) > 0 && median == 0) {
            median = json_number_value(json_object_get(bucket, "p50"));
        }
    }
    assert_true(median == 0.25);
    json_decref(latency);
    free(body);
}

// ---- a probe ----

static char *render(struct agent *agent, const char *json)
{
    struct http_response response = {0};
    json_t *probe = json_loads(json, 0, NULL);
    assert_non_null(probe);
    page_probe_respond(agent, probe, MOMENT(NOW), &response);
    assert_int_equal(response.status, 200);
    return agent_fixture_take_body(&response);
}

static void test_a_probe_is_a_timeline(void **state)
{
    char *page = render(
        *state,
        "{\"id\":\"ABC\",\"path\":\"mx02->mx01\",\"state\":\"arrived\",\"verdict\":\"on_time\","
        "\"kind\":\"slot\",\"slot\":7,\"planned\":\"2026-09-22T14:00:00Z\","
        "\"sent\":\"2026-09-22T14:00:00.010Z\",\"accepted\":\"2026-09-22T14:00:00.040Z\","
        "\"arrived\":\"2026-09-22T14:00:02Z\",\"present\":\"2026-09-22T14:00:02.5Z\","
        "\"latency_seconds\":1.99,\"latency_error_seconds\":0.004,\"excused_seconds\":0,"
        "\"legs\":{\"dns\":0.001,\"connect\":0.009,\"tls\":null,\"submit\":0.03},"
        "\"hops\":[{\"from\":\"mx02\",\"by\":\"relay\",\"protocol\":\"ESMTPS\","
        "\"tls\":\"TLSv1.3\",\"queue_id\":\"4F\",\"time\":\"2026-09-22T14:00:01Z\","
        "\"delta_seconds\":0.96,\"delta_error_seconds\":0.5,\"slowest\":true}],\"hops_more\":3,"
        "\"delivery\":{\"delta_seconds\":1,\"delta_error_seconds\":0.5,\"slowest\":false},"
        "\"route\":{\"hosts\":[\"mx02\",\"relay\",\"mx01\"],\"changed\":true},"
        "\"authentication\":{\"authserv_id\":\"mx01\",\"spf\":\"pass\",\"dkim\":\"fail\","
        "\"reasons\":{\"dkim\":\"bad body hash\"}},"
        "\"windows_consulted\":[{\"id\":\"w-1\",\"server\":\"mx01\",\"kind\":\"routine\","
        "\"begin\":\"2026-09-22T13:00:00Z\",\"end\":\"2026-09-22T13:10:00Z\","
        "\"covers_seconds\":12}],\"incident\":17}");
    page_check(page);
    page_has(page, "<span>on time after 1.99 s</span></h1>");
    page_has(page, "<th scope=\"row\">dns</th>");
    page_has(page, "mx02 to relay, ESMTPS, TLSv1.3, id 4F</td>");
    page_has(page, "<p class=\"words\">Slowest hop: 960 ms, mx02 to relay</p>");
    page_has(page, "the first server&#39;s name looked up</td>");
    page_has(page, "relay to the mailbox</td>");
    page_has(page, "</svg>the slowest</span>");
    page_has(page, "960 ms <span class=\"soft\">&plusmn; 500 ms</span>");
    page_has(page, "<th scope=\"row\">delivery</th>");
    page_has(page, "<th scope=\"row\">visible</th>");
    page_has(page, "and 3 more</p>");
    page_has(page, "mx02 &rarr; relay &rarr; mx01</dd>");
    page_has(page, "yes: another one");
    page_has(page, "<use href=\"#warn\"/></svg> fail, bad body hash</dd>");
    page_has(page, "Explained by incident 17, which has closed.");
    page_has(page, "<td data-label=\"Covers\" class=\"number\">12 s</td>");
    assert_null(strstr(page, "<h2>Bounce"));
    assert_null(strstr(page, "<h2>Transcript"));
    free(page);
}

// The rest of the timeline keeps its measure beside it.
static void test_a_clock_that_is_a_year_ahead(void **state)
{
    char *page = render(
        *state,
        "{\"id\":\"ABC\",\"path\":\"mx02->mx01\",\"state\":\"arrived\",\"verdict\":\"on_time\","
        "\"sent\":\"2026-09-22T14:00:00Z\",\"accepted\":\"2026-09-22T14:00:01Z\","
        "\"arrived\":\"2026-09-22T14:00:03Z\",\"present\":\"2026-09-22T14:00:04Z\","
        "\"hops\":[{\"by\":\"past\",\"time\":\"2025-09-22T14:00:01Z\",\"delta_seconds\":-31536000,"
        "\"delta_error_seconds\":1,\"slowest\":false,\"time_wrong\":true},"
        "{\"by\":\"relay\",\"time\":\"2027-09-22T14:00:01Z\",\"delta_seconds\":31536000,"
        "\"delta_error_seconds\":31536001,\"slowest\":false,\"time_wrong\":true}],"
        "\"delivery\":{\"delta_seconds\":-31535998,\"delta_error_seconds\":1,\"slowest\":false}}");
    page_check(page);
    page_has(page, "x=\"25.00%\" width=\"50.00%\""); // the transit: two of four seconds
    page_has(page, "its clock is wrong");
    assert_null(strstr(page, " width=\"-"));
    assert_null(strstr(page, " x=\"-"));
    free(page);
}

// Every member that is text is hostile and long, every list is long.
static json_t *hostile_text(void)
{
    char text[4096] = "";
    for (int i = 0; i < 100; i++) {
        strcat(text, "<script>\x01\"'&</td>\n\u202E\u2028");
    }
    return json_string(text);
}

static json_t *hostile_object(const char *const *names)
{
    json_t *object = json_object();
    for (; *names != NULL; names++) {
        json_object_set_new(object, *names, hostile_text());
    }
    return object;
}

static json_t *hostile_list(const char *const *names, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        json_t *item = names == NULL ? hostile_text() : hostile_object(names);
        if (json_is_object(item)) {
            json_object_set_new(item, "time", json_string("2026-09-22T14:00:01Z"));
        }
        json_array_append_new(list, item);
    }
    return list;
}

static void test_hostile_values_in_every_field(void **state)
{
    static const char *const TOP[] = {"id",       "path",    "state",      "verdict",
                                      "kind",     "rule",    "smtp_reply", "error_cause",
                                      "queue_id", "mailbox", "folder",     NULL};
    static const char *const HOP[] = {"from", "by", "protocol", "tls", "queue_id", NULL};
    static const char *const WINDOW[] = {"id", "server", "kind", "begin", "end", NULL};
    static const char *const BOUNCE[] = {"action", "status", "remote_mta", "diagnostic", NULL};
    static const char *const METHODS[] = {"authserv_id", "spf", "dkim", "dmarc", "arc", NULL};
    static const char *const LINE[] = {"from", "text", NULL};
    struct http_response response = {0};
    json_t *probe = hostile_object(TOP);
    json_object_set_new(probe, "hops", hostile_list(HOP, 300));
    json_object_set_new(probe, "windows_consulted", hostile_list(WINDOW, 100));
    json_object_set_new(probe, "transcript", hostile_list(LINE, 300));
    json_object_set_new(probe, "bounce", hostile_object(BOUNCE));
    json_object_set_new(probe, "delay", hostile_object(BOUNCE));
    json_t *authentication = hostile_object(METHODS);
    json_object_set_new(authentication, "reasons", hostile_object(METHODS));
    json_object_set_new(probe, "authentication", authentication);
    json_t *route = json_object();
    json_object_set_new(route, "hosts", hostile_list(NULL, 100));
    json_object_set_new(probe, "route", route);
    page_probe_respond(*state, probe, MOMENT(NOW), &response);
    char *page = agent_fixture_take_body(&response);
    page_check(page);
    page_has(page, "&lt;script&gt;\\x01&quot;&#39;&amp;&lt;/td&gt;\\n");
    free(page);
}

static void test_a_probe_with_nothing_known(void **state)
{
    char *page = render(*state, "{}");
    page_check(page);
    assert_null(strstr(page, "<table"));
    free(page);
}

// From the ledger, through the API's words.
static void test_a_stored_probe_is_found(void **state)
{
    char id[PROBE_ID_TEXT];
    put(*state, 1, NOW - 300, 82, VERDICT_LATE);
    commit(*state);
    struct probe_record record = record_of(1, NOW - 300, 82, VERDICT_LATE);
    char *page = ask(*state, page_probe_answer, "id", probe_id_format(&record.id, id), "", 200);
    page_check(page);
    page_has(page, "<span>late after 82 s</span>");
    page_has(page, "neither window nor incident explains it");
    free(page);
    page = ask(*state, page_probe_answer, "id", HOSTILE, "", 400);
    page_check(page);
    free(page);
}

int main(void)
{
#define WITH_AGENT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_AGENT(test_a_bucket_has_the_quantiles_of_its_probes),
        WITH_AGENT(test_buckets_cover_the_whole_range),
        WITH_AGENT(test_a_flush_is_one_mark),
        WITH_AGENT(test_marks_are_bounded),
        WITH_AGENT(test_the_other_way_is_another_path),
        WITH_AGENT(test_a_path_is_drawn),
        WITH_AGENT(test_an_empty_path_says_so),
        WITH_AGENT(test_a_path_that_is_none),
        WITH_AGENT(test_hostile_values_in_the_newest_probes),
        WITH_AGENT(test_latency_as_json),
        WITH_AGENT(test_a_probe_is_a_timeline),
        WITH_AGENT(test_a_clock_that_is_a_year_ahead),
        WITH_AGENT(test_hostile_values_in_every_field),
        WITH_AGENT(test_a_probe_with_nothing_known),
        WITH_AGENT(test_a_stored_probe_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
