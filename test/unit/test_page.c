#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "page_check.h"
#include "patience.h"
#include "shell/http_message.h"
#include "shell/page.h"
#include "shell/page_text.h"

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

static void test_text_is_escaped(void **state)
{
    char out[256];
    struct text text = TEXT_OVER(out);
    (void)state;
    page_append_escaped(&text, "<b a=\"1\" c='2'>&amp;\\ \xc3\xa5\xff\x01\n");
    assert_string_equal(out, "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;\\ "
                             "\xc3\xa5\\xff\\x01\\n");
    text = TEXT_OVER(out);
    page_append_escaped(&text, "<\u202Egpj.exe\u2028");
    assert_string_equal(out, "&lt;\\xe2\\x80\\xaegpj.exe\\xe2\\x80\\xa8");
}

static void test_long_text_keeps_its_characters_whole(void **state)
{
    char value[1024] = "", out[2048];
    struct text text = TEXT_OVER(out);
    (void)state;
    for (int i = 0; i < 300; i++) {
        strcat(value, "\xe2\x82\xac");
    }
    page_append_escaped(&text, value);
    assert_string_equal(out, value);
    for (size_t before = 0; before < 300; before++) { // wherever it is cut in parts
        memset(value, 'a', before);
        strcpy(value + before, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xac z");
        text = TEXT_OVER(out);
        page_append_escaped(&text, value);
        assert_string_equal(out, value);
    }
}

// Bytes that are no characters come to an end, too, each of them seen.
static void test_long_text_of_no_characters(void **state)
{
    char value[1024], out[4096];
    struct text text = TEXT_OVER(out);
    (void)state;
    memset(value, 0x80, sizeof value - 1);
    value[1000] = '\0';
    page_append_escaped(&text, value);
    assert_int_equal(text.length, 4000);
    assert_memory_equal(out, "\\x80\\x80", 8);
}

static void test_spans_are_read_easily(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } CASES[] = {
        {0, "0.0 ms"},
        {2140000, "2.1 ms"},
        {420000000, "420 ms"},
        {999400000, "999 ms"},
        {999600000, "1.00 s"},
        {1418000000, "1.42 s"},
        {82440000000, "82.4 s"},
        {99960000000, "99 s"},
        {60000000000, "60 s"},
        {120000000000, "2 min"},
        {2926000000000, "48 min 46 s"},
        {11100000000000, "3 h 5 min"},
        {187200000000000, "2 d 4 h"},
        {-250000000, "-250 ms"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char out[64];
        struct text text = TEXT_OVER(out);
        page_append_span(&text, (struct span){CASES[i].ns});
        assert_string_equal(out, CASES[i].text);
    }
}

static void test_times_say_how_long_ago(void **state)
{
    char out[256];
    (void)state;
    struct text text = TEXT_OVER(out);
    page_append_time(&text, WALL(0), WALL(12));
    assert_string_equal(out, "<time datetime=\"2026-09-21T14:13:20.000000Z\">14:13:20</time> "
                             "<span class=\"soft\">(12 s ago)</span>");
    text = TEXT_OVER(out);
    page_append_time(&text, WALL(300), WALL(0));
    assert_string_equal(out,
                        "<time datetime=\"2026-09-21T14:18:20.000000Z\">14:18:20</time> "
                        "<span class=\"soft\">(<span data-until=\"2026-09-21T14:18:20.000000Z\">"
                        "in 5 min</span>)</span>");
    text = TEXT_OVER(out);
    page_append_time(&text, WALLTIME_NONE, WALL(0));
    assert_string_equal(out, "&ndash;");
}

static void test_another_day_is_said(void **state)
{
    char out[256];
    (void)state;
    struct text text = TEXT_OVER(out);
    page_append_clock(&text, WALL(0), WALL(86400), 3);
    assert_string_equal(out, "<time datetime=\"2026-09-21T14:13:20.000000Z\">2026-09-21 "
                             "14:13:20.000</time>");
}

static void test_paths_are_links(void **state)
{
    char out[256];
    (void)state;
    struct text text = TEXT_OVER(out);
    page_append_path_link(&text, "mx02->a&b");
    assert_string_equal(out, "<a href=\"/path?name=mx02-%3Ea%26b\">mx02 &rarr; a&amp;b</a>");
}

// The page as it is sent; from malloc.
static char *render(struct agent *agent)
{
    struct http_request request = {.path = "/", .now = MOMENT(100)};
    struct http_response response = {0};
    page_answer(agent, &request, &response);
    assert_int_equal(response.status, 200);
    assert_string_equal(response.content_type, "text/html; charset=utf-8");
    assert_string_equal(response.content_security_policy,
                        "default-src 'none'; script-src 'self'; style-src 'self'; "
                        "img-src 'self'; connect-src 'self'; base-uri 'none'; "
                        "form-action 'none'; frame-ancestors 'none'");
    return agent_fixture_take_body(&response);
}

static void put_incidents(struct agent *agent)
{
    struct incident blind = {.id = 1,
                             .kind = INCIDENT_BLIND,
                             .severity = SEVERITY_CRITICAL,
                             .subject_text = "local",
                             .began = WALL(40),
                             .suppressed_by = "w-<1>",
                             .evidence = {.cause = "<script>alert(1)</script>"}};
    struct incident silent = {
        .id = 2,
        .kind = INCIDENT_SILENT,
        .severity = SEVERITY_CRITICAL,
        .subject_text = "mx02->mx01",
        .began = WALL(10),
        .notified = true,
        .notified_at = WALL(20),
        .evidence = {.threshold = SPAN_MINUTES(5), .oldest_age = SPAN_SECONDS(400)},
        .cells = {.culprit = CULPRIT_SENDER, .seen_by = 2, .of = 3, .paths = "mx02->mx01,<b> bad"}};
    core_restore_incident(agent->core, &blind, MOMENT(0));
    core_restore_incident(agent->core, &silent, MOMENT(0));
}

static void put_window(struct agent *agent, const char *server)
{
    struct window window = {.id = "w-1",
                            .revision = 1,
                            .begin = WALL(50),
                            .end = WALL(500),
                            .by = "root@<i>",
                            .reason = "kernel & more"};
    strcpy(window.server, server);
    core_restore_window(agent->core, &window);
}

static void test_trouble_is_shown_and_harmless(void **state)
{
    struct agent *agent = *state;
    put_incidents(agent);
    put_window(agent, "mx09");
    agent->not_ready = "mailbox <local>";
    char *page = render(agent);
    page_check(page);
    page_has(page, "<title>(2) mx01 - mailflow</title>");
    page_has(page, "<span>mx02 &rarr; mx01: nothing arrives</span></h1>");
    page_has(page, "<p>And 1 other trouble:</p>");
    page_has(page, "<a href=\"#incident-1\">The mailbox local cannot be read</a> since ");
    page_has(page, "<p>1 of them held back by maintenance: nobody was notified.</p>");
    page_has(page, "<p class=\"warn\">Not ready: mailbox &lt;local&gt;</p>");
    page_has(page, "<span>The mailbox local cannot be read</span>");
    page_has(page, "nothing is known meanwhile: &lt;script&gt;alert(1)&lt;/script&gt;</dd>");
    page_has(page, "held back by window w-&lt;1&gt;</dd>");
    page_has(page, "mx02 &rarr; mx01: nothing arrives");
    page_has(page, "nothing came for 6 min 40 s, more than 5 min</dd>");
    page_has(page, "<dt>Whose fault</dt><dd>mx02: what it sends arrives nowhere; 2 of 3 agents see "
                   "it <span class=\"soft\">(mx02-&gt;mx01,&lt;b&gt; bad)</span></dd>");
    page_has(page, "<dt>Maintenance</dt><dd>No</dd>");
    page_has(page, "root@&lt;i&gt; <span class=\"soft\">(operator)</span></td>");
    page_has(page, "<b class=\"warn\">0/1</b><details><summary>not by mx02</summary>");
    page_has(page, "<li>mx02: mail: not handed over yet; never heard</li></ul></details></td>");
    page_has(page, "kernel &amp; more</td>");
    page_has(page, "</svg>active</span></td>");
    free(page);
}

static void test_maintenance_is_named(void **state)
{
    struct agent *agent = *state;
    put_incidents(agent);
    put_window(agent, "mx02");
    char *page = render(agent);
    page_check(page);
    page_has(page, "<dt>Maintenance</dt><dd>Yes: mx02 is in routine maintenance until ");
    page_has(page, "by root@&lt;i&gt;: kernel &amp; more</dd>");
    page_has(page, "<p>In maintenance: mx02, until ");
    free(page);
}

static void test_root_cause_and_no_storm(void **state)
{
    struct agent *agent = *state;
    put_incidents(agent);
    struct incident overrun = {.id = 7,
                               .kind = INCIDENT_OVERRUN,
                               .severity = SEVERITY_CRITICAL,
                               .subject_text = "mx02",
                               .began = WALL(10),
                               .notified = true,
                               .notified_at = WALL(90),
                               .flapping = true,
                               .aftermath = {.window = "w-7", .planned_end = WALL(-300)},
                               .evidence = {.in_flight = 3}};
    core_restore_incident(agent->core, &overrun, MOMENT(0));
    struct incident **places = core_incidents(agent->core)->places;
    places[0]->cause = places[1]->cause = places[2]->id;
    char *page = render(agent);
    page_check(page);
    page_has(page, "<title>(1) mx01 - mailflow</title>");
    page_has(page, "<span>mx02 is not back from its maintenance</span></h1>");
    page_has(page, "maintenance w-7 ended 6 min 40 s ago, 3 in flight</dd>");
    page_has(page, "<dd>mx02, as far as this agent alone can tell</dd>");
    page_has(page, "<dd>Yes, overrun: its routine window ended ");
    page_has(page, "<summary>Explains 2 others, kept quiet</summary>");
    page_has(page, "</svg>mx02 &rarr; mx01: nothing arrives</li>");
    page_has(page, "<dd>as flapping, <time");
    assert_null(strstr(page, "id=\"incident-1\""));
    free(page);
}

static void test_quiet_page_says_so(void **state)
{
    struct agent *agent = *state;
    char *page = render(agent);
    page_check(page);
    page_has(page, "<title>mx01 - mailflow</title>");
    page_has(page, "Nothing has come yet");
    page_has(page, "No server is in maintenance, none is announced.");
    page_has(page, "<a href=\"/path?name=mx01-%3Emx02\">mx01 &rarr; mx02</a>");
    page_has(page, "</svg>unknown</span>");
    page_has(page, "<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>");
    free(page);
    agent_fixture_peer(agent, 0)->inbound.path.last_arrival = WALL(90);
    page = render(agent);
    page_has(page, "Not known of 2 paths: whether mail flows");
    page_has(page, "<p>mx02 has never told what it has of our probes.</p>");
    page_has(page, "<p>Paths: 2 unknown.</p>");
    page_has(page, "<p>No incident is open, no server is in maintenance.</p>");
    assert_null(strstr(page, "<h2>Mesh"));
    assert_null(strstr(page, "<h2>Certificates"));
    free(page);
}

// Nobody is woken for it, and the page is calm, too.
static void test_maintenance_alone_is_calm(void **state)
{
    struct agent *agent = *state;
    agent_fixture_peer(agent, 0)->inbound.path.last_arrival = WALL(90);
    put_window(agent, "mx02");
    char *page = render(agent);
    page_has(page, "<div class=\"headline calm\">");
    page_has(page, "mx02 is in maintenance, and nothing else is wrong");
    page_has(page, "<span data-until=\"2026-09-21T14:21:40.000000Z\">in 6 min 40 s</span>");
    free(page);
}

// However many peers there are, the page stays one that a browser can show.
static void test_ten_thousand_peers(void **state)
{
    struct agent *agent = agent_fixture_create(10000);
    (void)state;
    char *page = render(agent);
    page_check(page);
    page_has(page, "Of 10000 peers those whose mail does not flow, at most 100;");
    assert_true(strlen(page) < 200000);
    free(page);
    agent_fixture_destroy(agent);
}

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

// Nor do the windows of many of them make it dear. (Sanitizers take a thousand times as long for
// comparing names, so that they see fewer.)
static void test_two_hundred_windows_of_many_peers(void **state)
{
#if defined(__SANITIZE_ADDRESS__)
    enum { PEERS = 100 };
#else
    enum { PEERS = 10000 };
#endif
    struct agent *agent = agent_fixture_create(PEERS);
    char unknowing[160];
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct window window = {.revision = 1, .begin = WALL(50), .end = WALL(500), .by = "root"};
        snprintf(window.id, sizeof window.id, "w-%d", i);
        snprintf(window.server, sizeof window.server, "mx%02d", i + 2);
        core_restore_window(agent->core, &window);
    }
    double begun = processor_seconds();
    char *page = render(agent);
    double took = processor_seconds() - begun;
    printf("%.2f s of the processor\n", took);
    page_check(page);
    snprintf(unknowing, sizeof unknowing,
             "<b class=\"warn\">0/%d</b><details><summary>not by mx03, mx04, mx05, mx06 and %d more"
             "</summary>",
             PEERS - 1, PEERS - 5);
    page_has(page, unknowing);
    snprintf(unknowing, sizeof unknowing, "<li>and %d more</li></ul></details>", PEERS - 5);
    page_has(page, unknowing);
    assert_true(took < 1.5 * patience());
    free(page);
    agent_fixture_destroy(agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_long_text_keeps_its_characters_whole),
        cmocka_unit_test(test_long_text_of_no_characters),
        cmocka_unit_test(test_spans_are_read_easily),
        cmocka_unit_test(test_times_say_how_long_ago),
        cmocka_unit_test(test_another_day_is_said),
        cmocka_unit_test(test_paths_are_links),
        cmocka_unit_test_setup_teardown(test_trouble_is_shown_and_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(test_root_cause_and_no_storm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quiet_page_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(test_maintenance_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(test_maintenance_alone_is_calm, setup, teardown),
        cmocka_unit_test(test_ten_thousand_peers),
        cmocka_unit_test(test_two_hundred_windows_of_many_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
