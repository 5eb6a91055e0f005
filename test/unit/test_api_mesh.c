// The matrix of the mesh as the API and the page show it: what we measure, merged with what the
// peers' rows say.
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
#include "base/error.h"
#include "shell/api_mesh.h"
#include "shell/http_carrier.h"
#include "shell/page.h"

static void put_row(struct agent *agent, int peer, const char *row, struct moment at)
{
    struct peer *state = agent_fixture_peer(agent, peer);
    free(state->row);
    state->row = memory_checked(strdup(row));
    state->row_at = at.instant;
}

// mx01 measures its paths with mx02; the row of mx02 is fresh, that of mx03 is old, mx04 has none.
static int setup(void **state)
{
    struct agent *agent = agent_fixture_create(3);
    struct peer *peer = agent_fixture_peer(agent, 0);
    peer->inbound.path.last_arrival = WALL(95);
    peer->inbound.path.last_latency = SPAN_MS(250);
    peer->inbound.path.watch_from = MOMENT(155).instant;
    struct mailbox *mailbox = (struct mailbox *)core_mailbox(agent->core, 0);
    mailbox->readable = mailbox->read = true;
    put_row(agent, 0, "bad=mx04; in-bad=mx09; ok=mx01 mx03", MOMENT(90));
    put_row(agent, 1, "out-bad=mx02; ok=mx04", MOMENT(-30));
    *state = agent;
    return 0;
}

static int teardown(void **state)
{
    agent_fixture_destroy(*state);
    return 0;
}

static struct http_response respond(struct agent *agent, const char *state)
{
    struct http_response response = {0};
    struct http_request request = {.now = MOMENT(100)};
    if (state != NULL) {
        request.arguments[request.argument_count++] = (struct http_argument){"state", state};
    }
    api_read_mesh(agent, &request, &response);
    assert_int_equal(response.status, 200);
    return response;
}

static char *ask(struct agent *agent, const char *state)
{
    struct http_response response = respond(agent, state);
    return agent_fixture_take_body(&response);
}

#define WORD(by, state, age) "{\"by\":\"" by "\",\"state\":\"" state "\",\"age_seconds\":" age "}"
#define CELL(from, to, state)                                                                      \
    "{\"path\":\"" from "->" to "\",\"from\":\"" from "\",\"to\":\"" to "\",\"state\":\"" state    \
    "\","
#define SAID(words) "\"said\":[" words "]}"

static const char *const EXPECTED[] = {
    CELL("mx01", "mx02", "ok") "\"path_state\":\"unknown\",\"latency_seconds\":null," SAID(
        WORD("mx01", "unknown", "null") "," WORD("mx02", "ok", "10.0")),
    CELL("mx02", "mx01", "ok") "\"path_state\":\"ok\",\"latency_seconds\":0.25," SAID(
        WORD("mx01", "ok", "5.0") "," WORD("mx02", "ok", "10.0")),
    CELL("mx01", "mx03", "unknown") "\"path_state\":\"unknown\",\"latency_seconds\":null," SAID(
        WORD("mx01", "unknown", "null")),
    CELL("mx03", "mx01", "unknown") "\"path_state\":\"unknown\",\"latency_seconds\":null," SAID(
        WORD("mx01", "unknown", "null")),
    CELL("mx01", "mx04", "unknown") "\"path_state\":\"unknown\",\"latency_seconds\":null," SAID(
        WORD("mx01", "unknown", "null")),
    CELL("mx04", "mx01", "unknown") "\"path_state\":\"unknown\",\"latency_seconds\":null," SAID(
        WORD("mx01", "unknown", "null")),
    CELL("mx02", "mx04", "bad") SAID(WORD("mx02", "bad", "10.0")),
    CELL("mx04", "mx02", "bad") SAID(WORD("mx02", "bad", "10.0")),
    CELL("mx09", "mx02", "bad") SAID(WORD("mx02", "bad", "10.0")),
    CELL("mx02", "mx03", "ok") SAID(WORD("mx02", "ok", "10.0")),
    CELL("mx03", "mx02", "ok")
        SAID(WORD("mx02", "ok", "10.0") "," WORD("mx03", "unknown", "130.0")),
    CELL("mx03", "mx04", "unknown") SAID(WORD("mx03", "unknown", "130.0")),
    CELL("mx04", "mx03", "unknown") SAID(WORD("mx03", "unknown", "130.0")),
};

enum { EXPECTED_COUNT = sizeof EXPECTED / sizeof EXPECTED[0] };

static void test_every_path_stands_once(void **state)
{
    char *answer = ask(*state, NULL);
    const char *at = strstr(answer, "\"cells\":[");
    assert_non_null(at);
    at += strlen("\"cells\":[");
    for (size_t i = 0; i < EXPECTED_COUNT; i++) {
        if (strncmp(at, EXPECTED[i], strlen(EXPECTED[i])) != 0) {
            fail_msg("not as expected: %s\nbut: %s", EXPECTED[i], at);
        }
        at += strlen(EXPECTED[i]);
        at += i + 1 < EXPECTED_COUNT;
    }
    assert_string_equal(at, "]}");
    free(answer);
}

static void test_servers_and_their_rows(void **state)
{
    struct agent *agent = *state;
    struct window window = {
        .id = "w-1", .revision = 1, .server = "mx04", .begin = WALL(50), .end = WALL(500)};
    core_restore_window(agent->core, &window);
    agent_fixture_peer(agent, 0)->exchange.exchanged_at = MOMENT(90).instant;
    agent_fixture_peer(agent, 0)->exchange.isolated = true;
    agent_fixture_peer(agent, 1)->exchange.exchanged_at = MOMENT(-600).instant;
    agent->exchanges.peers[0].blind = agent->exchanges.peers[1].draining = true;
    char *answer = ask(agent, NULL);
    static const char SERVERS[] =
        "{\"server\":\"mx01\",\"now\":\"2026-09-21T14:15:00.000000Z\",\"servers\":["
        "{\"name\":\"mx01\",\"own\":true,\"agent\":true,\"maintenance\":null,"
        "\"row_age_seconds\":null,\"row_fresh\":true,\"says\":[]},"
        "{\"name\":\"mx02\",\"own\":false,\"agent\":true,\"maintenance\":null,"
        "\"row_age_seconds\":10.0,\"row_fresh\":true,\"says\":[\"isolated\",\"blind\"]},"
        "{\"name\":\"mx03\",\"own\":false,\"agent\":true,\"maintenance\":null,"
        "\"row_age_seconds\":130.0,\"row_fresh\":false,\"says\":[]},"
        "{\"name\":\"mx04\",\"own\":false,\"agent\":true,\"maintenance\":\"active\","
        "\"row_age_seconds\":null,\"row_fresh\":false,\"says\":[]}],";
    answer[strlen(SERVERS) < strlen(answer) ? strlen(SERVERS) : strlen(answer)] = '\0';
    assert_string_equal(answer, SERVERS);
    free(answer);
}

static void test_one_state_only(void **state)
{
    static const struct {
        const char *state;
        unsigned cells;
    } CASES[] = {{"ok", 4}, {"bad", 3}, {"unknown", 6}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char *answer = ask(*state, CASES[i].state);
        unsigned cells = 0;
        for (const char *at = answer; (at = strstr(at, "\"path\":")) != NULL; at++) {
            cells++;
        }
        assert_int_equal(cells, CASES[i].cells);
        free(answer);
    }
    struct http_response response = {0};
    struct http_request request = {
        .now = MOMENT(100), .arguments = {{"state", "good"}}, .argument_count = 1};
    api_read_mesh(*state, &request, &response);
    assert_int_equal(response.status, 400);
    agent_fixture_clear(&response);
}

// As a client gets it, without the white space, in so many reads.
static char *carry(struct agent *agent, const char *state, size_t *reads)
{
    enum { ROOM = 32 * 1024, LONGEST = 1 << 20 };
    const unsigned generation = 0;
    struct http_response response = respond(agent, state);
    struct http_carrier *carrier = http_carrier_create(&response.stream, &generation);
    char *body = memory_checked(malloc(LONGEST));
    size_t length = 0;
    ssize_t count;
    *reads = 0;
    do {
        assert_true(length + ROOM < LONGEST);
        count = http_carrier_read(carrier, body + length, ROOM);
        assert_true(count >= 0);
        const char *end = body + length + count;
        for (const char *at = end - count; at < end; at++) {
            body[length] = *at;
            length += *at != ' ';
        }
        (*reads)++;
    } while (count > 0);
    body[length] = '\0';
    http_carrier_destroy(carrier);
    return body;
}

// The loop does something else between two reads, so that none may look through the whole mesh for
// the next cell.
static void test_rare_cells_are_looked_for_in_many_reads(void **state)
{
    (void)state;
    enum { PEERS = 2000, PLACES_PER_READ = 32 };
    struct agent *agent = agent_fixture_create(PEERS);
    char row[ROW_SIZE];
    struct text out = TEXT_OVER(row);
    text_append(&out, "ok=");
    for (size_t i = 0; i < 40; i++) {
        text_format(&out, " mx%zu", 1000 + i);
    }
    for (int i = 0; i < PEERS; i++) {
        put_row(agent, i, row, MOMENT(99));
    }
    for (int bad = 0; bad <= 1; bad++) {
        size_t reads;
        char *carried = carry(agent, "bad", &reads);
        assert_true(reads >= 2 * PEERS / PLACES_PER_READ);
        const char *cells = strstr(carried, "\"cells\":[");
        assert_string_equal(cells, bad == 0 ? "\"cells\":[]}"
                                            : "\"cells\":[" CELL("mx02", "mx2001", "bad")
                                                  SAID(WORD("mx2001", "bad", "1.0")) "]}");
        free(carried);
        put_row(agent, PEERS - 1, "in-bad=mx02", MOMENT(99));
    }
    agent_fixture_destroy(agent);
}

#define SIGN(tone, word)                                                                           \
    "<svg class=\"sign " tone "\" role=\"img\" aria-label=\"" word "\"><use href=\"#" tone         \
    "\"/></svg>"

static char *render(struct agent *agent)
{
    struct http_request request = {.path = "/", .now = MOMENT(100)};
    struct http_response response = {0};
    page_answer(agent, &request, &response);
    return agent_fixture_take_body(&response);
}

static void test_page_draws_it(void **state)
{
    char *page = render(*state);
    page_check(page);
    page_has(page, "<tbody>\n<tr><th scope=\"col\" colspan=\"2\">From, to</th>"
                   "<th scope=\"col\">1</th><th scope=\"col\">2</th><th scope=\"col\">3</th>"
                   "<th scope=\"col\">4</th></tr>\n");
    page_has(
        page,
        "<tr><th scope=\"row\">mx02</th><td class=\"soft\">2</td><td>" SIGN(
            "good",
            "ok") "</td><td class=\"soft\">&ndash;</td><td>" SIGN("good",
                                                                  "ok") "</td><td title=\"mx02 to "
                                                                        "mx04 bad, says mx02, 10 s "
                                                                        "ago\">" SIGN("bad",
                                                                                      "bad") "</"
                                                                                             "td></"
                                                                                             "tr>"
                                                                                             "\n");
    free(page);
}

// The worst that can be drawn stays within a piece of the page; more is not drawn.
static void test_large_meshes(void **state)
{
    (void)state;
    for (size_t peers = 41; peers <= 42; peers++) {
        struct agent *agent = agent_fixture_create(peers);
        char row[ROW_SIZE];
        struct text out = TEXT_OVER(row);
        text_append(&out, "bad=");
        for (size_t i = 0; i < 40; i++) {
            text_format(&out, " mx%02zu", i + 1);
        }
        for (size_t i = 0; i < peers; i++) {
            put_row(agent, (int)i, row, MOMENT(99));
        }
        char *page = render(agent);
        if (peers == 41) {
            page_has(page, "<td title=\"mx42 to mx40 bad, says mx42, 1 s ago\">");
        } else {
            page_has(page, "Drawn for 3 servers or more, and up to 42");
        }
        free(page);
        agent_fixture_destroy(agent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_path_stands_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_servers_and_their_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_state_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_page_draws_it, setup, teardown),
        cmocka_unit_test(test_large_meshes),
        cmocka_unit_test(test_rare_cells_are_looked_for_in_many_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
