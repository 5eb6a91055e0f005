// Probes and incidents as the API says them: every member, and what stands where nothing is known.
#include "api_fixture.h"
#include "shell/api_incident.h"
#include "shell/api_json.h"
#include "shell/api_probe.h"

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
        [INCIDENT_SLOW] = "{\"latency_seconds\":82.4,\"late\":3,\"of\":5,"
                          "\"threshold_seconds\":60.0,\"hop\":\"mx03\",\"hop_from\":\"mx02\","
                          "\"hop_delay_seconds\":12.0,\"cause\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_STUCK] = "{\"oldest_age_seconds\":90.0,\"in_flight\":7," PROBE_MEMBER "}",
        [INCIDENT_BOUNCED] =
            "{\"status\":null,\"remote_mta\":null,\"bounced\":4,\"statuses\":[\"5.2.2\",\"5.1.1\"]"
            ",\"cause\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_LOST] = "{\"lost\":4," PROBE_MEMBER "}",
        [INCIDENT_CERTIFICATE] = "{\"expires_in_seconds\":82.4,\"cause\":\"no route\"}",
        [INCIDENT_REROUTED] = "{\"route\":\"a b c\",\"usual_route\":\"a c\"," PROBE_MEMBER "}",
        [INCIDENT_UNAUTHENTICATED] = "{\"method\":\"dkim\",\"result\":\"fail\","
                                     "\"reason\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_MISPLACED] =
            "{\"misplaced\":3,\"of\":5,\"folder\":\"no route\"," PROBE_MEMBER "}",
        [INCIDENT_CLOCK] = "{\"offset_seconds\":82.4,\"offset_error_seconds\":60.0,"
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

#define INCIDENT_HEAD(kind, cause, ends)                                                           \
    "{\"id\":3,\"kind\":\"" kind "\",\"severity\":\"warning\",\"subject\":\"mx02->mx01\","         \
    "\"began\":\"2026-09-21T14:13:20.000000Z\",\"opened\":\"2026-09-21T14:13:21.000000Z\","        \
    "\"closed\":\"2026-09-21T14:13:22.000000Z\",\"notified\":true,\"flapping\":false,"             \
    "\"suppressed_by\":\"w-1\",\"cause\":" cause ",\"ends\":[" ends "],\"evidence\":"

static void test_overrun_with_everything(void **state)
{
    struct incident incident = incident_of(INCIDENT_OVERRUN);
    strcpy(incident.ended, "1,12");
    assert_json(
        api_json_incident(agent_store(*state), &incident),
        INCIDENT_HEAD(
            "overrun", "null",
            "1,12") "{\"in_flight\":7,\"cause\":\"no route\"},"
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
                INCIDENT_HEAD("forged", "2", "") "{\"tags\":4,\"cause\":\"no route\"},"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_AGENT(test_probe_with_everything),   WITH_AGENT(test_rule_of_a_probe),
        WITH_AGENT(test_probe_with_nothing),      WITH_AGENT(test_incidents_by_kind),
        WITH_AGENT(test_overrun_with_everything), WITH_AGENT(test_folded_incident_names_its_cause),
        WITH_AGENT(test_open_incident_has_nulls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
