// What a plugin makes of a probe, and how often one who waits asks.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/acknowledgements.h"
#include "ctl/plugin.h"

static json_t *probe_on(const char *path)
{
    return json_pack("{s:s}", "path", path);
}

static json_t *window_of(const char *server, int suppressing)
{
    return json_pack("[{s:s,s:s,s:b}]", "id", "w-1", "server", server, "suppressing", suppressing);
}

static void maintenance_of_either_end_excuses(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *server;
        int suppressing;
        enum plugin_status before;
        enum plugin_status after;
    } CASES[] = {
        {"mx02->mx01", "mx01", 1, PLUGIN_CRITICAL, PLUGIN_OK},
        {"mx02->mx01", "mx02", 1, PLUGIN_WARNING, PLUGIN_OK},
        {"mx02->mx01", "mx01", 0, PLUGIN_CRITICAL, PLUGIN_CRITICAL}, // over, or not begun
        {"mx02->mx01", "mx03", 1, PLUGIN_CRITICAL, PLUGIN_CRITICAL},
        {"mx02->mx01", "mx0", 1, PLUGIN_CRITICAL, PLUGIN_CRITICAL},
        {"mx02->mx01", "x01", 1, PLUGIN_CRITICAL, PLUGIN_CRITICAL},
        {"mx02->mx01", "", 1, PLUGIN_CRITICAL, PLUGIN_CRITICAL},
        {"nonsense", "mx01", 1, PLUGIN_CRITICAL, PLUGIN_CRITICAL},
        {"mx02->mx01", "mx01", 1, PLUGIN_UNKNOWN, PLUGIN_UNKNOWN}, // nothing was measured
        {"mx02->mx01", "mx01", 1, PLUGIN_OK, PLUGIN_OK},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char words[128];
        struct text why = TEXT_OVER(words);
        json_t *probe = probe_on(CASES[i].path);
        json_t *windows = window_of(CASES[i].server, CASES[i].suppressing);
        assert_int_equal(plugin_excuse(CASES[i].before, probe, windows, &why), CASES[i].after);
        bool excused = CASES[i].before != CASES[i].after;
        assert_int_equal(strstr(words, "maintenance of ") != NULL, excused);
        json_decref(windows);
        json_decref(probe);
    }
}

static void what_is_no_list_of_windows_excuses_nothing(void **state)
{
    (void)state;
    char words[128];
    struct text why = TEXT_OVER(words);
    json_t *probe = probe_on("mx02->mx01");
    assert_int_equal(plugin_excuse(PLUGIN_CRITICAL, probe, NULL, &why), PLUGIN_CRITICAL);
    assert_int_equal(plugin_excuse(PLUGIN_CRITICAL, probe, probe, &why), PLUGIN_CRITICAL);
    json_decref(probe);
}

static void what_came_back_is_said_in_the_words_of_who_sent_it_back(void **state)
{
    (void)state;
    static const char *const BOUNCED =
        "{\"path\":\"a->b\",\"state\":\"bounced\",\"smtp_reply\":\"250 Ok\","
        "\"bounce\":{\"status\":\"5.1.1\",\"remote_mta\":\"b.example\","
        "\"diagnostic\":\"550 no such user\"},\"delay\":null}";
    static const char *const DELAYED =
        "{\"path\":\"a->b\",\"state\":\"accepted\",\"queue_id\":\"4F\",\"bounce\":null,"
        "\"delay\":{\"status\":\"4.4.1\",\"remote_mta\":null,\"diagnostic\":\"refused\"}}";
    const struct command command = {.wait = SPAN_SECONDS(60)};
    char words[256];
    struct text why = TEXT_OVER(words);
    json_t *probe = json_loads(BOUNCED, 0, NULL);
    assert_int_equal(plugin_judge(probe, &command, &why), PLUGIN_CRITICAL);
    assert_string_equal(words, "a->b bounced 5.1.1, says b.example: 550 no such user");
    json_decref(probe);
    why = TEXT_OVER(words);
    probe = json_loads(DELAYED, 0, NULL);
    assert_int_equal(plugin_judge(probe, &command, &why), PLUGIN_CRITICAL);
    assert_string_equal(words, "a->b not arrived within 1m, accepted, queue id 4F, delayed 4.4.1: "
                               "refused");
    json_decref(probe);
}

static void one_who_waits_asks_often_at_first(void **state)
{
    (void)state;
    assert_true(acknowledgements_pause(SPAN_ZERO).ns <= SPAN_MS(5).ns);
    assert_true(acknowledgements_pause(SPAN_SECONDS(1)).ns <= SPAN_MS(20).ns);
    assert_int_equal(acknowledgements_pause(SPAN_MINUTES(10)).ns, SPAN_MS(250).ns);
    int asked = 0;
    for (struct span passed = SPAN_ZERO; passed.ns < SPAN_MINUTES(10).ns; asked++) {
        struct span pause = acknowledgements_pause(passed);
        assert_true(pause.ns > 0);
        passed = span_add(passed, pause);
    }
    assert_true(asked < 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maintenance_of_either_end_excuses),
        cmocka_unit_test(what_is_no_list_of_windows_excuses_nothing),
        cmocka_unit_test(what_came_back_is_said_in_the_words_of_who_sent_it_back),
        cmocka_unit_test(one_who_waits_asks_often_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
