// Whose turn it is to exchange, what a reload leaves, and the messages there and back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "shell/bearer.h"
#include "shell/exchange_message.h"
#include "shell/exchanges.h"

enum { PEERS = 200 };

static const struct probe_id NONCE = {{1}};

static int setup(void **state)
{
    *state = agent_fixture_create(PEERS);
    struct settings *settings = ((struct agent *)*state)->settings;
    for (size_t i = 0; i < PEERS; i++) {
        ((struct peer_settings *)&settings->peers[i])->agent = "http://127.0.0.1:9925";
    }
    return 0;
}

static int teardown(void **state)
{
    agent_fixture_destroy(*state);
    return 0;
}

// Begins what may begin; how many.
static unsigned begin_all(struct exchanges *exchanges, unsigned running)
{
    unsigned begun = 0;
    for (int peer; (peer = exchanges_next(exchanges, running + begun)) >= 0;) {
        exchanges_begun(exchanges, peer, peer + 1, &NONCE, (struct moment){{1}, {1}});
        begun++;
    }
    return begun;
}

static void test_all_have_their_turn(void **state)
{
    struct exchanges *exchanges = &((struct agent *)*state)->exchanges;
    assert_int_equal(begin_all(exchanges, 0), 0);
    for (int i = 0; i < PEERS; i++) {
        exchanges_want(exchanges, i);
        exchanges_want(exchanges, i);
    }
    assert_int_equal(begin_all(exchanges, 0), FETCH_JOBS_MAXIMUM);
    assert_int_equal(begin_all(exchanges, FETCH_JOBS_MAXIMUM), 0);
    for (int i = 0; i < FETCH_JOBS_MAXIMUM; i++) {
        assert_int_not_equal(exchanges->peers[i].running, 0);
        exchanges_ended(exchanges, i, true);
    }
    assert_int_equal(begin_all(exchanges, 0), PEERS - FETCH_JOBS_MAXIMUM);
    assert_int_equal(exchanges->wanted, 0);
}

// One that is under way is not begun again, but afterwards.
static void test_once_at_a_time(void **state)
{
    struct exchanges *exchanges = &((struct agent *)*state)->exchanges;
    exchanges_want(exchanges, 7);
    assert_int_equal(begin_all(exchanges, 0), 1);
    exchanges_want(exchanges, 7);
    assert_int_equal(begin_all(exchanges, 1), 0);
    exchanges_ended(exchanges, 7, true);
    assert_int_equal(begin_all(exchanges, 0), 1);
}

static void test_those_that_hang_hold_only_a_part(void **state)
{
    struct exchanges *exchanges = &((struct agent *)*state)->exchanges;
    for (int i = 0; i < 100; i++) {
        exchanges_want(exchanges, i);
    }
    assert_int_equal(begin_all(exchanges, 0), 100);
    for (int i = 0; i < 100; i++) {
        exchanges_ended(exchanges, i, false);
        exchanges_want(exchanges, i);
    }
    assert_int_equal(begin_all(exchanges, 0), EXCHANGE_SUSPECTS_MAXIMUM);
    exchanges_want(exchanges, 150);
    assert_int_equal(begin_all(exchanges, EXCHANGE_SUSPECTS_MAXIMUM), 1);
    assert_int_not_equal(exchanges->peers[150].running, 0);
    exchanges_ended(exchanges, 0, true);
    assert_int_equal(exchanges->suspects_running, EXCHANGE_SUSPECTS_MAXIMUM - 1);
}

static void test_peers_keep_their_state_by_name(void **state)
{
    struct agent *agent = *state;
    struct exchanges *exchanges = &agent->exchanges;
    struct walltime now = WALL(10);
    exchanges->started = WALL(5);
    exchanges->peers[3].done = 9;
    assert_int_equal(exchange_guard_admit(&exchanges->peers[3].guard, &NONCE, now, now),
                     EXCHANGE_GUARD_FRESH);
    exchanges_want(exchanges, 3);
    exchanges_want(exchanges, 4);
    struct settings fewer = *agent->settings;
    fewer.peers = agent->settings->peers + 2; // mx02 and mx03 are gone
    fewer.peer_count = 2;                     // of mx04 to mx05
    exchanges_configure(exchanges, &fewer);
    assert_int_equal(exchanges->count, 2);
    assert_string_equal(exchanges->peers[1].name, "mx05");
    assert_int_equal(exchanges->peers[1].done, 9);
    assert_int_equal(exchanges->wanted, 1);
    assert_int_equal(exchange_guard_admit(&exchanges->peers[1].guard, &NONCE, now, now),
                     EXCHANGE_GUARD_REPLAYED);
    exchanges_configure(exchanges, agent->settings);
    assert_int_equal(exchanges->count, PEERS);
    assert_int_equal(exchanges->peers[3].done, 9);
    assert_int_equal(exchanges->peers[4].guard.floor.ns, WALL(5).ns);
}

// ---- messages ----

static struct exchange_message full_message(void)
{
    struct exchange_message message = {
        .from = "mx02",
        .to = "mx01",
        .nonce = {{1, 2, 3}},
        .time = WALL(1),
        .reply = true,
        .in_reply_to = {{4, 5, 6}},
        .received = WALL(2),
        .blind = true,
        .draining = true,
        .exchange = {"w=\"\\", "as_of=1", "mx03=ok"},
    };
    return message;
}

static void test_message_there_and_back(void **state)
{
    (void)state;
    char body[4096];
    struct text text = TEXT_OVER(body);
    struct exchange_message message = full_message(), back;
    struct error error = {0};
    assert_true(exchange_message_write(&message, &text));
    assert_true(exchange_message_read(body, text.length, true, &back, &error));
    assert_string_equal(back.from, message.from);
    assert_string_equal(back.to, message.to);
    assert_memory_equal(&back.nonce, &message.nonce, sizeof message.nonce);
    assert_int_equal(back.time.ns, message.time.ns);
    assert_true(back.reply && back.blind && back.draining);
    assert_memory_equal(&back.in_reply_to, &message.in_reply_to, sizeof message.in_reply_to);
    assert_int_equal(back.received.ns, message.received.ns);
    assert_string_equal(back.exchange.maintenance, message.exchange.maintenance);
    assert_string_equal(back.exchange.receipts, message.exchange.receipts);
    assert_string_equal(back.exchange.row, message.exchange.row);
}

// A check is a whole message too, for older agents, and no message is one by accident.
static void test_a_check(void **state)
{
    (void)state;
    char body[4096];
    struct text text = TEXT_OVER(body);
    struct exchange_message message, back;
    struct error error = {0};
    exchange_message_compose_check("mx02", "mx01", WALL(1), &message);
    assert_true(exchange_message_write(&message, &text));
    assert_non_null(strstr(body, "\"check\":true"));
    assert_true(exchange_message_read(body, text.length, false, &back, &error));
    assert_memory_equal(&message, &back, sizeof message);

    struct exchange_message other = full_message();
    text = TEXT_OVER(body);
    assert_true(exchange_message_write(&other, &text));
    assert_null(strstr(body, "check"));

    text = TEXT_OVER(body);
    assert_true(exchange_message_write(&message, &text));
    memcpy(strstr(body, ":true}"), ":null}", 6);
    assert_false(exchange_message_read(body, text.length, false, &back, &error));
    assert_string_equal(error.message, "\"check\" is not true or false");
}

static void test_message_that_does_not_fit(void **state)
{
    (void)state;
    char body[100];
    struct text text = TEXT_OVER(body);
    struct exchange_message message = full_message();
    assert_false(exchange_message_write(&message, &text));
}

// With every peer, window and receipt that there is room for it still fits a job of mailflow-fetch.
static void test_the_longest_message_fits(void **state)
{
    struct agent *agent = *state;
    static char body[FETCH_BODY_MAXIMUM + 1];
    struct text text = TEXT_OVER(body);
    struct exchange_message message;
    for (int i = 0; i < 100; i++) {
        struct window window = {.revision = 1, .begin = WALL(0), .end = WALL(600)};
        struct error error;
        snprintf(window.id, sizeof window.id, "w-%010d", i);
        text_copy(window.server, sizeof window.server, "mx01");
        text_copy(window.by, sizeof window.by, "anna@mx01");
        text_copy(window.reason, sizeof window.reason, "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"");
        assert_true(agent_put_window(agent, &window, &error));
    }
    exchange_message_compose(agent->core, 0, MOMENT(2), &message);
    assert_in_range(strlen(message.exchange.maintenance), 1000, TAG_LIST_SIZE - 1);
    assert_true(exchange_message_write(&message, &text));
}

static void test_signatures(void **state)
{
    (void)state;
    struct mesh_keys keys = {.keys = {{.id = "k1", .secret_length = 32}, {.id = "k2"}}};
    struct mesh_key other = {.id = "k1", .secret_length = 16};
    char value[TAG_SIGNATURE_SIZE];
    struct text text = TEXT_OVER(value);
    struct error error = {0};
    keys.count = 2;
    keys.keys[0].secret[0] = 7;
    exchange_message_sign("body", 4, &keys.keys[0], &text);
    assert_true(exchange_message_verify("body", 4, value, &keys, &error));
    assert_false(exchange_message_verify("bodi", 4, value, &keys, &error));
    assert_false(exchange_message_verify("body", 3, value, &keys, &error));
    assert_string_equal(error.message, "the signature does not match");
    text = TEXT_OVER(value);
    exchange_message_sign("body", 4, &other, &text);
    assert_false(exchange_message_verify("body", 4, value, &keys, &error));
    assert_false(exchange_message_verify("body", 4, "", &keys, &error));
    assert_string_equal(error.message, "not signed");
    assert_false(exchange_message_verify("body", 4, "a=hmac-sha256; k=k1", &keys, &error));
    assert_string_equal(error.message, "the signature is malformed");
}

// ---- the bearer token ----

static void test_bearer(void **state)
{
    (void)state;
    assert_true(bearer_matches("Bearer 0123456789abcdef", "0123456789abcdef"));
    assert_true(bearer_matches("bearer   0123456789abcdef", "0123456789abcdef"));
    assert_false(bearer_matches("Bearer 0123456789abcdeF", "0123456789abcdef"));
    assert_false(bearer_matches("Bearer 0123456789abcdef ", "0123456789abcdef"));
    assert_false(bearer_matches("0123456789abcdef", "0123456789abcdef"));
    assert_false(bearer_matches("Bearer ", ""));
    assert_false(bearer_matches("", ""));
}

int main(void)
{
#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    static const struct CMUnitTest TESTS[] = {
        IN_FIXTURE(test_all_have_their_turn),
        IN_FIXTURE(test_once_at_a_time),
        IN_FIXTURE(test_those_that_hang_hold_only_a_part),
        IN_FIXTURE(test_peers_keep_their_state_by_name),
        cmocka_unit_test(test_message_there_and_back),
        cmocka_unit_test(test_a_check),
        cmocka_unit_test(test_message_that_does_not_fit),
        IN_FIXTURE(test_the_longest_message_fits),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_bearer),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
