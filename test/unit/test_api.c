// What the API says, as values: its objects, its lists, its query and its refusals, without
// sockets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "shell/api_incident.h"
#include "shell/api_json.h"
#include "shell/api_probe.h"
#include "shell/api_query.h"
#include "shell/http_message.h"
#include "shell/routes.h"

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

// ---- asking ----

struct answer {
    int status;
    char *body;
};

static struct answer ask(struct agent *agent, enum http_method method, const char *path,
                         const char *body)
{
    struct http_response response = {0};
    struct http_request request = {.method = method,
                                   .path = path,
                                   .accept = "",
                                   .body = body,
                                   .body_length = strlen(body),
                                   .may_write = true,
                                   .now = MOMENT(100)};
    routes_answer(agent, &request, &response);
    int status = response.status;
    return (struct answer){status, agent_fixture_take_body(&response)};
}

static void assert_answer(struct agent *agent, enum http_method method, const char *path,
                          const char *body, int status, const char *expected)
{
    struct answer answer = ask(agent, method, path, body);
    assert_string_equal(answer.body, expected);
    assert_int_equal(answer.status, status);
    free(answer.body);
}

static void assert_refused(struct agent *agent, enum http_method method, const char *path,
                           const char *body, int status, const char *detail)
{
    char expected[1024];
    snprintf(expected, sizeof expected,
             "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}",
             http_status_title(status), status, detail);
    assert_answer(agent, method, path, body, status, expected);
}

static void assert_json(json_t *object, const char *expected)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert_string_equal(text, expected);
    free(text);
    json_decref(object);
}

// ---- objects ----

static void test_probe_with_everything(void **state)
{
    struct agent *agent = *state;
    struct store_probe probe = {
        .record = {.id = {{1}},
                   .peer = "mx02",
                   .direction = OUTBOUND,
                   .kind = PROBE_SLOT,
                   .state = PROBE_ARRIVED,
                   .verdict = VERDICT_DRAINED,
                   .slot = 1041,
                   .planned = WALL(0),
                   .sent = WALL(1),
                   .accepted = WALL(2),
                   .arrived = WALL(4),
                   .latency = SPAN_MS(3000),
                   .latency_error = SPAN_MS(5),
                   .excused = SPAN_SECONDS(1),
                   .incident = 17},
        .code = 250,
        .reply = "250 2.0.0 Ok: \"queued\"",
        .queue_id = "4F",
        .legs = {SPAN_MS(1), SPAN_MS(2), {-1}, {-1}, SPAN_MS(30)},
    };
    struct window touching = {
        .id = "w-1", .revision = 1, .server = "mx02", .begin = WALL(4), .end = WALL(9)};
    struct window later = touching, elsewhere = touching, long_before = touching;
    strcpy(later.id, "w-2");
    later.begin = WALL(5);
    strcpy(elsewhere.id, "w-3");
    strcpy(elsewhere.server, "mx03");
    strcpy(long_before.id, "w-4");
    long_before.begin = WALL(-9000);
    long_before.end = WALL(1 - 4900);
    core_restore_window(agent->core, &touching);
    core_restore_window(agent->core, &later);
    core_restore_window(agent->core, &elsewhere);
    core_restore_window(agent->core, &long_before);
    assert_json(
        api_json_probe(agent, &probe, WALL(100)),
        "{\"id\":\"AEAAAAAAAAAAAAAAAAAAAAAAAA\",\"path\":\"mx01->mx02\",\"direction\":\"outbound\","
        "\"kind\":\"slot\",\"slot\":1041,\"state\":\"arrived\",\"verdict\":\"drained\","
        "\"planned\":\"2026-09-21T14:13:20.000000Z\",\"sent\":\"2026-09-21T14:13:21.000000Z\","
        "\"accepted\":\"2026-09-21T14:13:22.000000Z\",\"arrived\":\"2026-09-21T14:13:24.000000Z\","
        "\"latency_seconds\":3.0,\"latency_error_seconds\":0.005,\"excused_seconds\":1.0,"
        "\"clock\":null,\"legs\":{\"dns\":0.001,\"connect\":0.002,\"tls\":null,\"auth\":null,"
        "\"submit\":0.03,\"transit\":2.0},\"reply_class\":\"2xx\",\"smtp_reply\":\"250 2.0.0 Ok: "
        "\\\"queued\\\"\","
        "\"error_cause\":null,\"queue_id\":\"4F\",\"hops\":[],\"folder\":null,\"windows\":[\"w-1\"]"
        ","
        "\"rule\":\"latency 3s, less 1s excused by windows, is 2s, within 60s: incident 17 held "
        "it up and is recorded\",\"incident\":17}");
}

static void test_probe_with_nothing(void **state)
{
    struct store_probe probe = {
        .record = {.id = {{1}},
                   .peer = "mx02",
                   .direction = INBOUND,
                   .kind = PROBE_HAND,
                   .state = PROBE_SENDING},
        .reply_class = -1,
        .cause = "bad \xff byte",
        .legs = {{-1}, {-1}, {-1}, {-1}, {-1}},
    };
    assert_json(
        api_json_probe(*state, &probe, WALL(100)),
        "{\"id\":\"AEAAAAAAAAAAAAAAAAAAAAAAAA\",\"path\":\"mx02->mx01\",\"direction\":\"inbound\","
        "\"kind\":\"hand\",\"slot\":null,\"state\":\"sending\",\"verdict\":\"open\","
        "\"planned\":null,\"sent\":null,\"accepted\":null,\"arrived\":null,"
        "\"latency_seconds\":null,\"latency_error_seconds\":null,\"excused_seconds\":null,"
        "\"clock\":null,\"legs\":{\"dns\":null,\"connect\":null,\"tls\":null,\"auth\":null,"
        "\"submit\":null,\"transit\":null},\"reply_class\":null,\"smtp_reply\":null,"
        "\"error_cause\":\"bad ? "
        "byte\",\"queue_id\":null,\"hops\":[],\"folder\":null,\"windows\":[],"
        "\"rule\":\"it is being handed over\",\"incident\":null}");
}

static void test_rule_of_a_probe(void **state)
{
    static const struct {
        struct probe_record record;
        const char *rule;
    } CASES[] = {
        {{.verdict = VERDICT_ON_TIME, .latency = SPAN_MS(250)}, "latency 0.25s, within 60s"},
        {{.verdict = VERDICT_ON_TIME, .latency = SPAN_MS(60250), .latency_error = SPAN_MS(300)},
         "latency 60.25s, above 60s by no more than its error, 0.3s"},
        {{.verdict = VERDICT_EXCUSED, .latency = SPAN_SECONDS(2926), .excused = SPAN_SECONDS(2926)},
         "latency 2926s, less 2926s excused by windows, is 0s, within 60s"},
        {{.verdict = VERDICT_DRAINED, .latency = SPAN_SECONDS(227)},
         "latency 227s, above 60s: this agent could not see meanwhile"},
        {{.verdict = VERDICT_LATE, .latency = SPAN_SECONDS(400), .excused = SPAN_SECONDS(100)},
         "latency 400s, less 100s excused by windows, is 300s, above 60s, and as far as this "
         "server knows neither window nor incident explains it"},
        {{.verdict = VERDICT_LOST, .state = PROBE_LOST}, "it has not arrived within 132h"},
        {{.state = PROBE_ACCEPTED}, "it is in flight"},
        {{.state = PROBE_REFUSED}, "no server took it over: nothing is in flight"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct store_probe probe = {.record = CASES[i].record};
        strcpy(probe.record.peer, i % 2 == 0 ? "mx02" : "gone");
        json_t *object = api_json_probe(*state, &probe, WALL(100));
        assert_string_equal(json_string_value(json_object_get(object, "rule")), CASES[i].rule);
        json_decref(object);
    }
}

static struct incident incident_of(enum incident_kind kind)
{
    return (struct incident){
        .id = 3,
        .kind = kind,
        .severity = SEVERITY_WARNING,
        .subject_text = "mx02->mx01",
        .began = WALL(0),
        .opened = WALL(1),
        .closed = WALL(2),
        .notified = true,
        .suppressed_by = "w-1",
        .aftermath = {.window = "w-2",
                      .window_kind = WINDOW_EMERGENCY,
                      .planned_end = WALL(-1187),
                      .resumed = {WALL(-3), WALL(0)},
                      .resumed_by = "mx02->mx01",
                      .drained = 4,
                      .lost = 1,
                      .in_flight = 2,
                      .suppressed = 6,
                      .longest = SPAN_SECONDS(2926)},
        .evidence = {.latency = SPAN_SECONDS(82),
                     .threshold = SPAN_SECONDS(60),
                     .late = 3,
                     .of = 5,
                     .oldest_age = SPAN_SECONDS(90),
                     .in_flight = 7,
                     .failures = 4,
                     .has_probe = true,
                     .probe = {{1}},
                     .route = "a b c",
                     .usual_route = "a c",
                     .method = AUTH_DKIM,
                     .result = AUTH_FAIL,
                     .hop = {"mx03", "mx02", SPAN_SECONDS(12)},
                     .statuses = {"5.2.2", "5.1.1"},
                     .cause = "no route"},
        .cells = {.culprit = CULPRIT_SERVER, .seen_by = 6, .of = 7, .paths = "mx02->mx01,mx03 bad"},
    };
}

#define PROBE_MEMBER "\"probe\":\"AEAAAAAAAAAAAAAAAAAAAAAAAA\""

static void test_incidents_by_kind(void **state)
{
    static const char *const EVIDENCE[INCIDENTS] = {
        [INCIDENT_ISOLATED] = "{\"bad\":3,\"of\":5,\"failures\":4,\"cause\":\"no route\"}",
        [INCIDENT_BLIND] = "{\"oldest_age_seconds\":90.0,\"cause\":\"no route\"}",
        [INCIDENT_OVERRUN] = "{\"in_flight\":7,\"cause\":\"no route\"}",
        [INCIDENT_DOWN] = "{\"oldest_age_seconds\":90.0,"
                          "\"in_flight\":7,\"cause\":\"no route\"}",
        [INCIDENT_UNHEARD] = "{\"oldest_age_seconds\":90.0,"
                             "\"in_flight\":7,\"cause\":\"no route\"}",
        [INCIDENT_REFUSED] = "{\"failures\":4,\"cause\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_SILENT] = "{\"threshold_seconds\":60.0,\"oldest_age_seconds\":90.0,"
                            "\"in_flight\":7,\"cause\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_SLOW] = "{\"latency_seconds\":82.0,\"late\":3,\"of\":5,"
                          "\"threshold_seconds\":60.0,\"hop\":\"mx03\",\"hop_from\":\"mx02\","
                          "\"hop_delay_seconds\":12.0,\"cause\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_STUCK] = "{\"oldest_age_seconds\":90.0,\"in_flight\":7," PROBE_MEMBER "}",
        [INCIDENT_BOUNCED] =
            "{\"status\":null,\"remote_mta\":null,\"bounced\":4,\"statuses\":[\"5.2.2\",\"5.1.1\"]"
            ",\"cause\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_LOST] = "{\"lost\":4," PROBE_MEMBER "}",
        [INCIDENT_CERTIFICATE] = "{\"expires_in_seconds\":82.0,\"cause\":\"no route\"}",
        [INCIDENT_REROUTED] = "{\"route\":\"a b c\",\"usual_route\":\"a c\"," PROBE_MEMBER "}",
        [INCIDENT_UNAUTHENTICATED] = "{\"method\":\"dkim\",\"result\":\"fail\","
                                     "\"reason\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_MISPLACED] =
            "{\"misplaced\":3,\"of\":5,\"folder\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_CLOCK] = "{\"offset_seconds\":82.0,\"offset_error_seconds\":60.0,"
                           "\"cause\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_FORGED] = "{\"tags\":4,\"cause\":\"no route\"}",
    };
    for (int kind = 0; kind < INCIDENTS; kind++) {
        struct incident incident = incident_of((enum incident_kind)kind);
        json_t *object = api_json_incident(agent_store(*state), &incident);
        assert_string_equal(json_string_value(json_object_get(object, "kind")),
                            incident_kind_name(incident.kind));
        assert_json(json_incref(json_object_get(object, "evidence")), EVIDENCE[kind]);
        json_decref(object);
    }
}

#define INCIDENT_HEAD(kind, cause)                                                                 \
    "{\"id\":3,\"kind\":\"" kind "\",\"severity\":\"warning\",\"subject\":\"mx02->mx01\","         \
    "\"began\":\"2026-09-21T14:13:20.000000Z\",\"opened\":\"2026-09-21T14:13:21.000000Z\","        \
    "\"closed\":\"2026-09-21T14:13:22.000000Z\",\"notified\":true,\"flapping\":false,"             \
    "\"suppressed_by\":\"w-1\",\"cause\":" cause ",\"evidence\":"

static void test_overrun_with_everything(void **state)
{
    struct incident incident = incident_of(INCIDENT_OVERRUN);
    assert_json(
        api_json_incident(agent_store(*state), &incident),
        INCIDENT_HEAD(
            "overrun",
            "null") "{\"in_flight\":7,\"cause\":\"no route\"},"
                    "\"cells\":{\"culprit\":\"server\",\"seen_by\":6,\"of\":7,"
                    "\"paths\":\"mx02->mx01,mx03 bad\"},\"aftermath\":{"
                    "\"window\":\"w-2\",\"window_kind\":\"emergency\","
                    "\"planned_end\":\"2026-09-21T13:53:33.000000Z\",\"overran_seconds\":1187.0,"
                    "\"resumed\":\"2026-09-21T14:13:20.000000Z\",\"resumed_by\":\"mx02->mx01\","
                    "\"drained\":4,\"lost\":1,\"in_flight\":2,\"suppressed\":6,"
                    "\"longest_seconds\":2926.0}}");
}

static void test_folded_incident_names_its_cause(void **state)
{
    struct incident incident = incident_of(INCIDENT_FORGED);
    incident.cause = 2;
    incident.cells = (struct cells){0};
    assert_json(api_json_incident(agent_store(*state), &incident),
                INCIDENT_HEAD("forged", "2") "{\"tags\":4,\"cause\":\"no route\"},"
                                             "\"cells\":null,\"aftermath\":null}");
}

static void test_open_incident_has_nulls(void **state)
{
    struct incident incident = incident_of(INCIDENT_BLIND);
    incident.closed = WALLTIME_NONE;
    incident.suppressed_by[0] = incident.evidence.cause[0] = '\0';
    json_t *object = api_json_incident(agent_store(*state), &incident);
    assert_true(json_is_null(json_object_get(object, "closed")));
    assert_true(json_is_null(json_object_get(object, "suppressed_by")));
    assert_true(json_is_null(json_object_get(json_object_get(object, "evidence"), "cause")));
    json_decref(object);
}

// ---- lists ----

#define UNHEARD_PATH(path, peer, direction)                                                        \
    "{\"path\":\"" path "\",\"peer\":\"" peer "\",\"direction\":\"" direction "\","                \
    "\"state\":\"unknown\",\"last_latency_seconds\":null,\"last_latency_error_seconds\":null,"     \
    "\"median_latency_seconds\":null,\"last_sent\":null,\"last_arrival\":null,\"in_flight\":0,"    \
    "\"oldest_in_flight_sent\":null,\"receipts_as_of\":null,\"agent_trouble\":null,\"thinned\":"   \
    "false,\"interval_"                                                                            \
    "seconds\":60.0}"

static void test_paths_of_a_new_mesh(void **state)
{
    static const char EXPECTED[] =
        "{\"paths\":[" UNHEARD_PATH("mx01->mx02", "mx02", "outbound") "," UNHEARD_PATH(
            "mx02->mx01", "mx02",
            "inbound") "," UNHEARD_PATH("mx01->mx03", "mx03",
                                        "outbound") "," UNHEARD_PATH("mx03->mx01", "mx03",
                                                                     "inbound") "]}";
    assert_answer(*state, HTTP_GET, "/api/v1/paths", "", 200, EXPECTED);
}

static void test_path_with_everything(void **state)
{
    struct agent *agent = *state;
    struct outbound *outbound = &agent_fixture_peer(agent, 0)->outbound;
    flights_add(&outbound->flights, &(struct probe_id){{1}}, WALL(40));
    decisions_add(&outbound->path.decisions, WALL(30), SPAN_MS(250), SPAN_ZERO, SPAN_MS(250),
                  VERDICT_ON_TIME);
    outbound->path.last_sent = WALL(20);
    outbound->path.last_arrival = WALL(30);
    outbound->path.last_latency = SPAN_MS(-250);
    outbound->path.last_error = SPAN_MS(1);
    outbound->thinned = true;
    assert_json(api_json_path(agent->core, 0, OUTBOUND, MOMENT(100)),
                "{\"path\":\"mx01->mx02\",\"peer\":\"mx02\",\"direction\":\"outbound\","
                "\"state\":\"ok\",\"last_latency_seconds\":-0.25,"
                "\"last_latency_error_seconds\":0.001,\"median_latency_seconds\":0.25,"
                "\"last_sent\":\"2026-09-21T14:13:40.000000Z\","
                "\"last_arrival\":\"2026-09-21T14:13:50.000000Z\",\"in_flight\":1,"
                "\"oldest_in_flight_sent\":\"2026-09-21T14:14:00.000000Z\","
                "\"receipts_as_of\":null,\"agent_trouble\":null,\"thinned\":true,"
                "\"interval_seconds\":900.0}");
}

static void test_status_holds_together(void **state)
{
    struct agent *agent = *state;
    agent->not_ready = "mailbox local has not been read yet";
    struct incident incident = incident_of(INCIDENT_SLOW);
    incident.closed = WALLTIME_NONE;
    core_restore_incident(agent->core, &incident, MOMENT(0));
    struct window over = {.id = "w-old", .revision = 1, .begin = WALL(-9000), .end = WALL(-8000)};
    struct window now = {.id = "w-now", .revision = 1, .begin = WALL(0), .end = WALL(500)};
    core_restore_window(agent->core, &over);
    core_restore_window(agent->core, &now);

    struct answer answer = ask(agent, HTTP_GET, "/api/v1/status", "");
    json_error_t where;
    json_t *object = json_loads(answer.body, JSON_REJECT_DUPLICATES, &where);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "server")), "mx01");
    assert_string_equal(json_string_value(json_object_get(object, "not_ready_because")),
                        agent->not_ready);
    assert_true(json_is_false(json_object_get(object, "ready")));
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(object, "workers"), "killed")), 2);
    assert_int_equal(json_array_size(json_object_get(object, "paths")), 4);
    assert_int_equal(json_array_size(json_object_get(object, "incidents")), 1);
    assert_int_equal(json_array_size(json_object_get(object, "mailboxes")), 1);
    const json_t *windows = json_object_get(object, "maintenance");
    assert_int_equal(json_array_size(windows), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(windows, 0), "id")),
                        "w-now");
    json_decref(object);
    free(answer.body);
}

static void test_status_is_small_when_ready(void **state)
{
    struct answer answer = ask(*state, HTTP_GET, "/api/v1/status", "");
    assert_non_null(strstr(answer.body, "\"ready\":true,\"not_ready_because\":null,"));
    assert_non_null(strstr(answer.body, "\"incidents\":[],\"maintenance\":[],"));
    free(answer.body);
}

// ---- the query ----

static const char *ask_query(struct agent *agent, const char *name, const char *value,
                             struct store_query *out)
{
    static struct error error;
    error.message[0] = '\0';
    struct http_request request = {.arguments = {{name, value}}, .argument_count = 1};
    request.now = MOMENT(100);
    bool good = api_query_read(&request, agent->settings, out, &error);
    assert_int_equal(good, error.message[0] == '\0');
    return error.message;
}

static void test_query_is_read(void **state)
{
    struct store_query query;
    assert_string_equal(ask_query(*state, "path", "mx01->mx03", &query), "");
    assert_string_equal(query.peer, "mx03");
    assert_int_equal(query.direction, OUTBOUND);
    assert_int_equal(query.limit, API_LIMIT_DEFAULT);
    assert_int_equal(query.verdict, -1);
    assert_string_equal(ask_query(*state, "path", "mx02->mx01", &query), "");
    assert_string_equal(query.peer, "mx02");
    assert_int_equal(query.direction, INBOUND);
    assert_string_equal(ask_query(*state, "since", "24h", &query), "");
    assert_int_equal(query.since.ns, WALL(100 - 86400).ns);
    assert_string_equal(ask_query(*state, "since", "2026-09-21T14:13:25Z", &query), "");
    assert_int_equal(query.since.ns, WALL(5).ns);
    assert_string_equal(ask_query(*state, "verdict", "late", &query), "");
    assert_int_equal(query.verdict, VERDICT_LATE);
    assert_string_equal(ask_query(*state, "limit", "1000", &query), "");
    assert_int_equal(query.limit, 1000);
    assert_string_equal(ask_query(*state, "before", "9223372036854775807", &query), "");
    assert_int_equal(query.before, INT64_MAX);
    assert_string_equal(ask_query(*state, "path", "", &query), "");
    assert_null(query.peer);
}

static void test_query_is_refused(void **state)
{
#define NO_PATH(path)                                                                              \
    "path: no path '" path "' here: write mx02->mx01, mx01 at one end; "                           \
    "this mesh has mx01, mx02, mx03"
    static const struct {
        const char *name;
        const char *value;
        const char *message;
    } CASES[] = {
        {"path", "mx02", NO_PATH("mx02")},
        {"path", "mx02->mx03", NO_PATH("mx02->mx03")},
        {"path", "mx01->mx01", NO_PATH("mx01->mx01")},
        {"path", "mx0->mx01", NO_PATH("mx0->mx01")},
        {"path", "mx022->mx01", NO_PATH("mx022->mx01")},
        {"path", "->", NO_PATH("->")},
        {"path", "a\nb", NO_PATH("a\\nb")},
        {"since", "yesterday",
         "since: 'yesterday' is neither a time like 2026-01-04T02:00:00Z nor "
         "a duration back from now like 24h"},
        {"verdict", "LATE",
         "verdict: 'LATE' is none of open on_time late excused drained lost "
         "bounced"},
        {"limit", "0", "limit: '0' is not a number from 1 to 1000"},
        {"limit", "1001", "limit: '1001' is not a number from 1 to 1000"},
        {"limit", "-1", "limit: '-1' is not a number from 1 to 1000"},
        {"limit", "5x", "limit: '5x' is not a number from 1 to 1000"},
        {"limit", " 5", "limit: ' 5' is not a number from 1 to 1000"},
        {"before", "99999999999999999999",
         "before: '99999999999999999999' is not a number from 1 to 9223372036854775807"},
        {"peer", "mx02", "unknown argument 'peer': path, since, verdict, limit, before are known"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct store_query query;
        assert_string_equal(ask_query(*state, CASES[i].name, CASES[i].value, &query),
                            CASES[i].message);
    }
}

static void test_large_mesh_is_named_in_short(void **state)
{
    (void)state;
    char mesh[256];
    struct text text = TEXT_OVER(mesh);
    struct settings *settings = agent_fixture_settings(50, "/tmp", NULL, 0);
    api_query_append_mesh(settings, &text);
    assert_string_equal(mesh, "this mesh has mx01, mx02, mx03, mx04, mx05, mx06, mx07, mx08, mx09 "
                              "and 42 more");
    arena_destroy(settings->arena);
}

// ---- probes from the ledger ----

static void put_probes(struct agent *agent, unsigned count)
{
    struct error error = {0};
    for (unsigned i = 0; i < count; i++) {
        struct probe_record record = {.id = {{(uint8_t)(i + 1)}},
                                      .peer = "mx02",
                                      .direction = INBOUND,
                                      .state = PROBE_ARRIVED,
                                      .verdict = VERDICT_ON_TIME,
                                      .slot = i + 1,
                                      .sent = WALL(i),
                                      .arrived = WALL(i + 1)};
        store_put_probe(agent->store, &record);
    }
    assert_true(store_commit(agent->store, STORE_FAST, &error));
}

static json_t *list_probes(struct agent *agent, const char *limit, const char *before)
{
    struct http_response response = {0};
    struct http_request request = {.path = "/api/v1/probes",
                                   .arguments = {{"limit", limit}, {"before", before}},
                                   .argument_count = 2,
                                   .now = MOMENT(100)};
    routes_answer(agent, &request, &response);
    assert_int_equal(response.status, 200);
    char *body = agent_fixture_take_body(&response);
    json_t *object = json_loads(body, 0, NULL);
    free(body);
    return object;
}

static int64_t slot_at(const json_t *page, size_t index)
{
    const json_t *probe = json_array_get(json_object_get(page, "probes"), index);
    return json_integer_value(json_object_get(probe, "slot"));
}

static void test_pages_of_probes(void **state)
{
    char before[32];
    put_probes(*state, 4);
    json_t *first = list_probes(*state, "3", "");
    assert_int_equal(json_array_size(json_object_get(first, "probes")), 3);
    assert_int_equal(slot_at(first, 0), 4);
    assert_int_equal(slot_at(first, 2), 2);
    snprintf(before, sizeof before, "%lld",
             (long long)json_integer_value(json_object_get(first, "next")));
    json_t *second = list_probes(*state, "3", before);
    assert_int_equal(json_array_size(json_object_get(second, "probes")), 1);
    assert_int_equal(slot_at(second, 0), 1);
    assert_true(json_is_null(json_object_get(second, "next")));
    json_t *whole = list_probes(*state, "4", "");
    assert_true(json_is_null(json_object_get(whole, "next")));
    json_decref(first);
    json_decref(second);
    json_decref(whole);
}

static void test_one_probe(void **state)
{
    put_probes(*state, 1);
    struct answer answer = ask(*state, HTTP_GET, "/api/v1/probes/AEAAAAAAAAAAAAAAAAAAAAAAAA", "");
    assert_int_equal(answer.status, 200);
    assert_non_null(strstr(answer.body, "\"id\":\"AEAAAAAAAAAAAAAAAAAAAAAAAA\""));
    assert_non_null(strstr(answer.body, "\"windows_consulted\":[]"));
    free(answer.body);
    struct answer by_prefix = ask(*state, HTTP_GET, "/api/v1/probes/aeaaaa", "");
    assert_int_equal(by_prefix.status, 200);
    free(by_prefix.body);
    struct probe_record alike = {
        .id = {{1, 0, 0, 0, 1}}, .peer = "mx02", .sent = WALL(0), .arrived = WALL(1)};
    struct agent *agent = *state;
    store_put_probe(agent->store, &alike);
    assert_refused(*state, HTTP_GET, "/api/v1/probes/AEAAAA", "", 409,
                   "several probes have ids that begin with AEAAAA");
    assert_refused(*state, HTTP_GET, "/api/v1/probes/AIAAAAAAAAAAAAAAAAAAAAAAAA", "", 404,
                   "the ledger has no probe with this id (any more)");
    assert_refused(*state, HTTP_GET, "/api/v1/probes/7Q2K", "", 400,
                   "a probe's id has 26 characters of A-Z and 2-7; the first 6 may do");
}

// However many there were since: the probe's answer has the incident itself.
static void test_a_probe_brings_its_incident(void **state)
{
    struct agent *agent = *state;
    struct incident incident = incident_of(INCIDENT_SILENT);
    struct store_probe probe = {.record = {.id = {{1}}, .peer = "mx02", .incident = 3}};
    incident.id = 3;
    store_put_incident(agent->store, &incident);
    json_t *object = api_json_probe_whole(agent, &probe, MOMENT(100));
    json_t *told = json_object_get(object, "explained_by");
    assert_int_equal(json_integer_value(json_object_get(told, "id")), 3);
    assert_string_equal(json_string_value(json_object_get(told, "kind")), "silent");
    json_decref(object);
    probe.record.incident = 4;
    object = api_json_probe_whole(agent, &probe, MOMENT(100));
    assert_true(json_is_null(json_object_get(object, "explained_by")));
    json_decref(object);
}

static void test_incidents_from_the_ledger(void **state)
{
    static const enum incident_kind KINDS[] = {INCIDENT_SLOW, INCIDENT_SILENT, INCIDENT_DOWN};
    struct agent *agent = *state;
    struct error error = {0};
    for (int i = 0; i < 3; i++) {
        struct incident incident = incident_of(KINDS[i]);
        incident.id = 3 + i;
        incident.cause = i < 2 ? 5 : 0;
        store_put_incident(agent->store, &incident);
    }
    assert_true(store_commit(agent->store, STORE_FAST, &error));
    struct answer answer = ask(agent, HTTP_GET, "/api/v1/incidents", "");
    assert_int_equal(answer.status, 200);
    json_error_t where;
    json_t *object = json_loads(answer.body, 0, &where);
    json_t *incidents = json_object_get(object, "incidents");
    assert_int_equal(json_array_size(incidents), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *incident = json_array_get(incidents, i);
        assert_int_equal(json_integer_value(json_object_get(incident, "id")), 5 - i);
        assert_json(json_incref(json_object_get(incident, "children")), i == 0 ? "[4,3]" : "[]");
    }
    json_decref(object);
    free(answer.body);
}

// ---- writing ----

static void test_probe_by_hand(void **state)
{
    struct agent *agent = *state;
    struct answer answer = ask(agent, HTTP_POST, "/api/v1/probes", "{\"peer\":\"mx02\"}");
    assert_int_equal(answer.status, 202);
    assert_int_equal(strlen(answer.body), strlen("{\"id\":\"AEAAAAAAAAAAAAAAAAAAAAAAAA\"}"));
    free(answer.body);
    assert_refused(agent, HTTP_POST, "/api/v1/probes", "{\"peer\":\"mx09\"}", 400,
                   "unknown peer 'mx09': this mesh has mx01, mx02, mx03");
    assert_refused(agent, HTTP_POST, "/api/v1/probes", "", 400, "\\\"peer\\\" is missing");
    assert_refused(agent, HTTP_POST, "/api/v1/probes", "[]", 400,
                   "the body is no request: not a JSON object");
    agent->refuses_probe = true;
    assert_refused(agent, HTTP_POST, "/api/v1/probes", "{\"peer\":\"mx02\"}", 503,
                   "4 probes are still being handed over");
}

static void copy_id(const char *body, char path[64])
{
    const char *id = strstr(body, "\"id\":\"");
    assert_non_null(id);
    snprintf(path, 64, "/api/v1/maintenance/%.12s", id + 6);
}

static void test_life_of_a_window(void **state)
{
    char path[64];
    struct answer begun = ask(*state, HTTP_POST, "/api/v1/maintenance",
                              "{\"server\":\"mx02\",\"begin\":\"2026-09-21T14:20:00Z\"}");
    assert_int_equal(begun.status, 201);
    copy_id(begun.body, path);
    assert_non_null(strstr(begun.body, ",\"revision\":1,\"server\":\"mx02\",\"kind\":\"routine\","
                                       "\"state\":\"announced\","
                                       "\"begin\":\"2026-09-21T14:20:00.000000Z\","
                                       "\"end\":\"2026-09-21T14:35:00.000000Z\","
                                       "\"recovered\":\"2026-09-21T15:56:40.000000Z\","
                                       "\"cancelled\":false,\"by\":\"operator@mx01\","
                                       "\"origin\":\"operator\",\"reason\":\"\","
                                       "\"peers_known\":0,\"peers\":1,\"acknowledged\":[],"
                                       "\"unacknowledged\":[{\"peer\":\"mx03\","
                                       "\"why\":\"mail: not handed over yet; never heard\"}],"
                                       "\"suppressing\":false,\"suppressed\":0}"));
    struct answer changed =
        ask(*state, HTTP_PATCH, path, "{\"extend_seconds\":60,\"by\":\"alice\"}");
    assert_int_equal(changed.status, 200);
    assert_non_null(strstr(changed.body, "\"revision\":2"));
    assert_non_null(strstr(changed.body, "\"by\":\"alice@mx01\""));
    assert_non_null(strstr(changed.body, "\"end\":\"2026-09-21T14:36:00.000000Z\""));
    struct answer ended = ask(*state, HTTP_DELETE, path, "");
    assert_int_equal(ended.status, 200);
    assert_non_null(strstr(ended.body, "\"revision\":3"));
    assert_non_null(strstr(ended.body, "\"state\":\"over\""));
    assert_non_null(strstr(ended.body, "\"cancelled\":true"));
    struct answer again = ask(*state, HTTP_DELETE, path, "");
    assert_int_equal(again.status, 409);
    struct answer list = ask(*state, HTTP_GET, "/api/v1/maintenance", "");
    assert_non_null(strstr(list.body, path + strlen("/api/v1/maintenance/")));
    assert_answer(*state, HTTP_GET, path, "", 200, ended.body);
    free(begun.body);
    free(changed.body);
    free(ended.body);
    free(again.body);
    free(list.body);
}

static void test_window_that_peers_know(void **state)
{
    struct agent *agent = *state;
    struct window window = {
        .id = "w-1", .revision = 2, .server = "mx01", .begin = WALL(0), .end = WALL(10)};
    struct window learned = window;
    strcpy(learned.id, "w-2");
    learned.origin = ORIGIN_PEER;
    core_restore_window(agent->core, &window);
    core_restore_window(agent->core, &learned);
    core_restore_acknowledged(agent->core, "w-1", 2, "mx02");
    core_restore_acknowledged(agent->core, "w-1", 1, "mx03");
    struct answer answer = ask(agent, HTTP_GET, "/api/v1/maintenance/w-1", "");
    assert_non_null(strstr(answer.body, "\"peers_known\":1,\"peers\":2,"
                                        "\"acknowledged\":[\"mx02\"],"
                                        "\"unacknowledged\":[{\"peer\":\"mx03\","));
    free(answer.body);
    answer = ask(agent, HTTP_GET, "/api/v1/maintenance/w-2", "");
    assert_non_null(strstr(answer.body, "\"origin\":\"peer\","));
    assert_non_null(strstr(answer.body, "\"peers_known\":0,\"peers\":0,\"acknowledged\":[],"
                                        "\"unacknowledged\":[],"));
    free(answer.body);
}

// However many do not know it and whatever a relay says, the list stays JSON.
static void test_window_that_many_do_not_know(void **state)
{
    enum { PEERS = 100 };
    (void)state;
    struct agent *agent = agent_fixture_create(PEERS);
    struct window window = {
        .id = "w-1", .revision = 1, .server = "mx01", .begin = WALL(0), .end = WALL(10)};
    core_restore_window(agent->core, &window);
    for (int i = 0; i < PEERS; i++) {
        struct told *told = &agent_fixture_peer(agent, i)->told;
        char cause[EXCHANGE_CAUSE_SIZE] = "";
        memset(cause, 1, sizeof cause - 1);
        text_keep(&told->mail_cause, sizeof cause, cause);
    }
    static const char *const PATHS[] = {"/api/v1/maintenance", "/api/v1/maintenance/w-1"};
    for (int i = 0; i < 2; i++) {
        json_error_t where;
        struct answer answer = ask(agent, HTTP_GET, PATHS[i], "");
        json_t *object = json_loads(answer.body, 0, &where);
        assert_non_null(object);
        json_t *of = i == 0 ? json_array_get(json_object_get(object, "maintenance"), 0) : object;
        assert_int_equal(json_integer_value(json_object_get(of, "peers")), PEERS);
        assert_int_equal(json_array_size(json_object_get(of, "unacknowledged")),
                         i == 0 ? 16 : PEERS);
        json_decref(object);
        free(answer.body);
    }
    agent_fixture_destroy(agent);
}

static void test_window_refusals(void **state)
{
    struct agent *agent = *state;
    assert_refused(agent, HTTP_POST, "/api/v1/maintenance", "{\"server\":\"mx09\"}", 400,
                   "unknown server 'mx09': this mesh has mx01, mx02, mx03");
    assert_refused(agent, HTTP_POST, "/api/v1/maintenance", "{", 400,
                   "the body is no request: not JSON at byte 1: string or '}' expected near end of "
                   "file");
    assert_refused(agent, HTTP_PATCH, "/api/v1/maintenance/w-1", "{}", 404,
                   "there is no window with this id (any more)");
    assert_refused(agent, HTTP_DELETE, "/api/v1/maintenance/w-1", "", 404,
                   "there is no window with this id (any more)");
    agent->ledger_fails = true;
    assert_refused(agent, HTTP_POST, "/api/v1/maintenance", "", 503,
                   "the ledger cannot be written");
}

static void test_too_many_windows(void **state)
{
    struct agent *agent = *state;
    for (int i = 0; i < WINDOWS_MAXIMUM; i++) {
        struct window window = {.revision = 1, .begin = WALL(0), .end = WALL(10)};
        snprintf(window.id, sizeof window.id, "w-%d", i);
        core_restore_window(agent->core, &window);
    }
    assert_refused(agent, HTTP_POST, "/api/v1/maintenance", "", 409,
                   "there are 1024 windows already");
}

static void test_reload_with_problems(void **state)
{
    assert_answer(*state, HTTP_POST, "/api/v1/reload", "", 422,
                  "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
                  "\"detail\":\"the configuration has errors, so the old one stays\","
                  "\"problems\":[\"mailflow.yaml:3:7: unknown key \\\"colour\\\"\"]}");
}

// ---- routes ----

static void test_routes(void **state)
{
    struct agent *agent = *state;
    assert_refused(agent, HTTP_GET, "/api/v2/status", "", 404, "there is nothing at this path");
    assert_refused(agent, HTTP_GET, "/api/v1/probes/", "", 404, "there is nothing at this path");
    assert_refused(agent, HTTP_GET, "/api/v1/maintenance/w-1", "", 404,
                   "there is no window with this id (any more)");
    assert_refused(agent, HTTP_POST, "/api/v1/maintenance/w-1", "", 405,
                   "this method is not known here: use GET, HEAD, PATCH, DELETE");
    assert_refused(agent, HTTP_METHODS, "/api/v1/probes", "", 405,
                   "this method is not known here: use GET, HEAD, POST");
    assert_answer(agent, HTTP_GET, "/healthz", "", 200, "ok\n");
    assert_answer(agent, HTTP_GET, "/readyz", "", 200, "ok\n");
    agent->not_ready = "the ledger cannot be written";
    assert_answer(agent, HTTP_GET, "/readyz", "", 503, "the ledger cannot be written\n");
    assert_answer(agent, HTTP_GET, "/healthz", "", 200, "ok\n");
}

static void test_writes_need_the_control_socket(void **state)
{
    static const struct {
        enum http_method method;
        const char *path;
    } WRITES[] = {
        {HTTP_POST, "/api/v1/probes"},           {HTTP_POST, "/api/v1/maintenance"},
        {HTTP_PATCH, "/api/v1/maintenance/w-1"}, {HTTP_DELETE, "/api/v1/maintenance/w-1"},
        {HTTP_POST, "/api/v1/reload"},
    };
    for (size_t i = 0; i < sizeof WRITES / sizeof WRITES[0]; i++) {
        struct http_response response = {0};
        struct http_request request = {.method = WRITES[i].method,
                                       .path = WRITES[i].path,
                                       .body = "{\"peer\":\"mx02\"}",
                                       .body_length = 15};
        routes_answer(*state, &request, &response);
        assert_int_equal(response.status, 403);
        assert_string_equal(response.content_type, "application/problem+json");
        http_response_clear(&response);
    }
    assert_int_equal(core_windows(((struct agent *)*state)->core)->count, 0);
}

#define WITH_AGENT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_probe_with_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rule_of_a_probe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe_with_nothing, setup, teardown),
        WITH_AGENT(test_incidents_by_kind),
        WITH_AGENT(test_overrun_with_everything),
        WITH_AGENT(test_folded_incident_names_its_cause),
        WITH_AGENT(test_open_incident_has_nulls),
        WITH_AGENT(test_paths_of_a_new_mesh),
        WITH_AGENT(test_path_with_everything),
        WITH_AGENT(test_status_holds_together),
        WITH_AGENT(test_status_is_small_when_ready),
        WITH_AGENT(test_query_is_read),
        WITH_AGENT(test_query_is_refused),
        cmocka_unit_test(test_large_mesh_is_named_in_short),
        WITH_AGENT(test_pages_of_probes),
        WITH_AGENT(test_one_probe),
        WITH_AGENT(test_a_probe_brings_its_incident),
        WITH_AGENT(test_incidents_from_the_ledger),
        WITH_AGENT(test_probe_by_hand),
        WITH_AGENT(test_life_of_a_window),
        WITH_AGENT(test_window_that_peers_know),
        cmocka_unit_test(test_window_that_many_do_not_know),
        WITH_AGENT(test_window_refusals),
        WITH_AGENT(test_too_many_windows),
        WITH_AGENT(test_reload_with_problems),
        WITH_AGENT(test_routes),
        WITH_AGENT(test_writes_need_the_control_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
