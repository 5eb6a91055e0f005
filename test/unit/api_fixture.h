// What the tests of the API share: an agent, what it answers without a socket, and what that says.
#ifndef MAILFLOW_TEST_API_FIXTURE_H
#define MAILFLOW_TEST_API_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "agent_fixture.h"
#include "full_evidence.h"
#include "shell/http_message.h"
#include "shell/routes.h"

static inline int api_setup(void **state)
{
    *state = agent_fixture_create(2);
    return 0;
}

static inline int api_teardown(void **state)
{
    agent_fixture_destroy(*state);
    return 0;
}

struct answer {
    int status;
    char *body;
};

static inline struct answer ask(struct agent *agent, enum http_method method, const char *path,
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

static inline void assert_answer(struct agent *agent, enum http_method method, const char *path,
                                 const char *body, int status, const char *expected)
{
    struct answer answer = ask(agent, method, path, body);
    assert_string_equal(answer.body, expected);
    assert_int_equal(answer.status, status);
    free(answer.body);
}

static inline void assert_refused(struct agent *agent, enum http_method method, const char *path,
                                  const char *body, int status, const char *detail)
{
    char expected[1024];
    snprintf(expected, sizeof expected,
             "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}",
             http_status_title(status), status, detail);
    assert_answer(agent, method, path, body, status, expected);
}

static inline void assert_json(json_t *object, const char *expected)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert_string_equal(text, expected);
    free(text);
    json_decref(object);
}

static inline struct incident incident_of(enum incident_kind kind)
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
        .evidence = full_evidence(),
        .cells = {.culprit = CULPRIT_SERVER, .seen_by = 6, .of = 7, .paths = "mx02->mx01,mx03 bad"},
    };
}

#define WITH_AGENT(test) cmocka_unit_test_setup_teardown(test, api_setup, api_teardown)

#endif
