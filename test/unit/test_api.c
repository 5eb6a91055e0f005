// What the API says of the mesh: its paths, its status, its queries and its lists.
#include "api_fixture.h"
#include "shell/api_json.h"
#include "shell/api_probe.h"
#include "shell/api_query.h"

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
                   "a probe's id has 26 characters of A-Z and 2-7; give at least its first 6");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
