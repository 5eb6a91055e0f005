// What may be changed over the API, and in which words it is refused.
#include "api_fixture.h"

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
        agent_fixture_clear(&response);
    }
    assert_int_equal(core_windows(((struct agent *)*state)->core)->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
