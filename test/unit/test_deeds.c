#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "config_fixture.h"
#include "shell/agent_internal.h"

// An agent whose probers cannot be started. Its loop does not run before it ends.
struct house {
    uv_loop_t loop;
    struct agent *agent;
};

enum { PEERS_HANGING = EXCHANGE_SUSPECTS_MAXIMUM };

static struct settings *load(void)
{
    static char yaml[16384];
    struct text text = TEXT_OVER(yaml);
    text_format(&text, SERVER KEYS MAILBOXES "state_dir: %s\ndefaults: {interval: 1h}\npeers:\n",
                config_fixture_directory());
    for (int i = 0; i <= PEERS_HANGING; i++) {
        text_format(
            &text, "  - {name: p%02d, address: probe@p.example, agent: 'http://127.0.0.1:9'}\n", i);
    }
    return config_fixture_accept(yaml);
}

static int setup(void **state)
{
    static struct house house;
    const struct agent_options options = {.config_file = "mailflow.yaml",
                                          .probers = "/nonexistent"};
    struct error error;
    config_fixture_enter(state);
    uv_loop_init(&house.loop);
    house.agent = agent_create(&house.loop, &options, load(), &error);
    *state = &house;
    return house.agent == NULL || !agent_settle(house.agent); // what the start has decided
}

static int teardown(void **state)
{
    struct house *house = *state;
    agent_destroy(house->agent);
    uv_run(&house->loop, UV_RUN_DEFAULT);
    return uv_loop_close(&house->loop) != 0 || config_fixture_leave(state) != 0;
}

// The end of a turn in which mail has come that may be deleted. True when it has been committed.
static bool end_turn_with_an_arrival(struct agent *agent)
{
    deeds_add(&agent->deeds, DEED_DELETE);
    agent_end_turn(agent);
    return agent->deeds.count == 0;
}

static void test_an_arrival_is_committed_with_what_follows(void **state)
{
    struct agent *agent = ((struct house *)*state)->agent;
    assert_false(end_turn_with_an_arrival(agent));
    assert_false(end_turn_with_an_arrival(agent));
    assert_true(uv_is_active((uv_handle_t *)&agent->rest));
    text_copy(deeds_add(&agent->deeds, DEED_EXCHANGE)->peer, SERVER_NAME_SIZE, "p00");
    assert_true(end_turn_with_an_arrival(agent));
    assert_false(uv_is_active((uv_handle_t *)&agent->rest));
    assert_false(end_turn_with_an_arrival(agent));
    agent->durable = true;
    assert_true(end_turn_with_an_arrival(agent));
}

// It waits for others to end, not for what rests; one for which there is no room keeps none awake.
static void test_an_exchange_that_may_begin_does_not_wait(void **state)
{
    struct agent *agent = ((struct house *)*state)->agent;
    struct exchanges *exchanges = &agent->exchanges;
    for (int i = 0; i <= PEERS_HANGING; i++) {
        exchanges->peers[i].running = 0; // of what the start has begun
        exchanges->peers[i].suspect = true;
        exchanges_want(exchanges, i);
    }
    agent_settle(agent);
    assert_int_equal(exchanges->wanted, 1);
    assert_false(end_turn_with_an_arrival(agent));
    exchanges_ended(exchanges, 0, true);
    agent_end_turn(agent);
    assert_int_equal(agent->deeds.count, 0);
    assert_int_equal(exchanges->wanted, 0);
    assert_int_not_equal(exchanges->peers[PEERS_HANGING].running, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_arrival_is_committed_with_what_follows, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_an_exchange_that_may_begin_does_not_wait, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
