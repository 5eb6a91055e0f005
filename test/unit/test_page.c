#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nettle/base64.h>
#include <nettle/sha2.h>

#include "agent_fixture.h"
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
    char out[128];
    (void)state;
    struct text text = TEXT_OVER(out);
    page_append_time(&text, WALL(0), WALL(12));
    assert_string_equal(out, "2026-09-21 14:13:20 <span class=\"soft\">(12 s ago)</span>");
    text = TEXT_OVER(out);
    page_append_time(&text, WALL(300), WALL(0));
    assert_string_equal(out, "2026-09-21 14:18:20 <span class=\"soft\">(in 5 min)</span>");
    text = TEXT_OVER(out);
    page_append_time(&text, WALLTIME_NONE, WALL(0));
    assert_string_equal(out, "&ndash;");
}

// The page as it is sent; from malloc.
static char *render(struct agent *agent, const char **policy)
{
    struct http_request request = {.path = "/", .now = MOMENT(100)};
    struct http_response response = {0};
    page_answer(agent, &request, &response);
    assert_int_equal(response.status, 200);
    assert_string_equal(response.content_type, "text/html; charset=utf-8");
    *policy = response.content_security_policy;
    return agent_fixture_take_body(&response);
}

static void assert_has(const char *page, const char *part)
{
    if (strstr(page, part) == NULL) {
        fail_msg("%s is not in the page", part);
    }
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
        .evidence = {.threshold = SPAN_MINUTES(5), .oldest_age = SPAN_SECONDS(400)}};
    core_restore_incident(agent->core, &blind, MOMENT(0));
    core_restore_incident(agent->core, &silent, MOMENT(0));
}

static void test_trouble_is_shown_and_harmless(void **state)
{
    struct agent *agent = *state;
    const char *policy;
    struct window window = {.id = "w-1",
                            .revision = 1,
                            .server = "mx09",
                            .begin = WALL(50),
                            .end = WALL(500),
                            .by = "root@<i>",
                            .reason = "kernel & more"};
    put_incidents(agent);
    core_restore_window(agent->core, &window);
    agent->not_ready = "mailbox <local>";
    char *page = render(agent, &policy);
    assert_has(page, "<title>(2) mx01 - mailflow</title>");
    assert_has(page, "<p class=\"bad\">2 incidents open</p>");
    assert_has(page, "<p class=\"warn\">Not ready: mailbox &lt;local&gt;</p>");
    assert_has(page, "cannot be read: &lt;script&gt;alert(1)&lt;/script&gt;</td>");
    assert_has(page, "held back by w-&lt;1&gt;</td>");
    assert_has(page, "nothing came for 6 min 40 s, more than 5 min</td>");
    assert_has(page, "class=\"bad\">silent</td><td data-label=\"Last latency\"");
    assert_has(page, "root@&lt;i&gt; <span class=\"soft\">(operator)</span></td>");
    assert_has(page, "class=\"warn\">0/1; not mx02 <span class=\"soft\">(mail: not handed over "
                     "yet; never heard)</span></td>");
    assert_has(page, "kernel &amp; more</td>");
    assert_has(page, "class=\"calm\">active</td>");
    assert_null(strstr(page, "<script"));
    free(page);
}

static void test_root_cause_and_no_storm(void **state)
{
    struct agent *agent = *state;
    const char *policy;
    put_incidents(agent);
    struct incident overrun = {.id = 7,
                               .kind = INCIDENT_OVERRUN,
                               .severity = SEVERITY_CRITICAL,
                               .subject_text = "mx02",
                               .began = WALL(10),
                               .notified = true,
                               .flapping = true,
                               .aftermath = {.window = "w-7", .planned_end = WALL(-300)},
                               .evidence = {.in_flight = 3}};
    core_restore_incident(agent->core, &overrun, MOMENT(0));
    struct incident **places = core_incidents(agent->core)->places;
    places[0]->cause = places[1]->cause = places[2]->id;
    char *page = render(agent, &policy);
    assert_has(page, "<title>(1) mx01 - mailflow</title>");
    assert_has(page, "maintenance w-7 ended 6 min 40 s ago, 3 in flight</td>");
    assert_has(page, "blind local, silent mx02-&gt;mx01</td></tr>");
    assert_has(page, "yes, as flapping</td>");
    assert_null(strstr(page, "cannot be read"));
    free(page);
}

static void test_quiet_page_says_so(void **state)
{
    const char *policy;
    char *page = render(*state, &policy);
    assert_has(page, "<title>mx01 - mailflow</title>");
    assert_has(page, "No incident is open");
    assert_has(page, "<h2>Open incidents</h2>\n<p class=\"soft\">None.</p>");
    assert_has(page, "<td data-label=\"Path\">mx01-&gt;mx02</td>");
    assert_has(page, "class=\"soft\">unknown</td>");
    assert_has(page, "<meta http-equiv=\"refresh\" content=\"10\">");
    assert_has(page, "color-scheme: light dark");
    free(page);
}

// Every element that is opened is closed, in order.
static void test_elements_are_nested(void **state)
{
    const char *policy, *open[32];
    size_t depth = 0;
    put_incidents(*state);
    char *page = render(*state, &policy);
    for (const char *at = strchr(page, '<'); at != NULL; at = strchr(at + 1, '<')) {
        bool closing = at[1] == '/';
        const char *name = at + (closing ? 2 : 1);
        size_t length = strcspn(name, " >");
        if (*name == '!' || strncmp(name, "meta", 4) == 0) {
            continue;
        }
        if (closing) {
            assert_true(depth > 0 && strncmp(open[--depth], name, length) == 0);
        } else {
            assert_true(depth < 32);
            open[depth++] = name;
        }
    }
    assert_int_equal(depth, 0);
    free(page);
}

// A browser takes the style sheet only if its hash is the one that the policy names.
static void test_policy_admits_the_style_sheet_and_nothing_else(void **state)
{
    const char *policy;
    struct sha256_ctx hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    char expected[256], encoded[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1] = "";
    char *page = render(*state, &policy);
    char *style = strstr(page, "<style>") + strlen("<style>");
    sha256_init(&hash);
    sha256_update(&hash, (size_t)(strstr(style, "</style>") - style), (const uint8_t *)style);
    sha256_digest(&hash, sizeof digest, digest);
    base64_encode_raw(encoded, sizeof digest, digest);
    struct text text = TEXT_OVER(expected);
    text_format(&text,
                "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
                "frame-ancestors 'none'",
                encoded);
    assert_string_equal(policy, expected);
    assert_null(strstr(page, " style="));
    assert_null(strstr(page, " src="));
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_escaped),
        cmocka_unit_test(test_long_text_keeps_its_characters_whole),
        cmocka_unit_test(test_spans_are_read_easily),
        cmocka_unit_test(test_times_say_how_long_ago),
        cmocka_unit_test_setup_teardown(test_trouble_is_shown_and_harmless, setup, teardown),
        cmocka_unit_test_setup_teardown(test_root_cause_and_no_storm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quiet_page_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(test_elements_are_nested, setup, teardown),
        cmocka_unit_test_setup_teardown(test_policy_admits_the_style_sheet_and_nothing_else, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
