// What the card of an incident says on the front page, kind by kind: the evidence in words, whose
// fault it is, and where to look next.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent_fixture.h"
#include "page_check.h"
#include "shell/http_message.h"
#include "shell/page.h"

#define PATH_OF_CARDS "mx02->mx01"

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

// The front page with a card of the incident; from malloc.
static char *card_of(struct agent *agent, enum incident_kind kind, const char *subject,
                     const struct evidence *evidence)
{
    struct incident incident = {.id = 7,
                                .kind = kind,
                                .severity = SEVERITY_WARNING,
                                .began = WALL(10),
                                .notified = true,
                                .notified_at = WALL(20),
                                .evidence = *evidence};
    struct http_request request = {.path = "/", .now = MOMENT(100)};
    struct http_response response = {0};
    strcpy(incident.subject_text, subject);
    core_restore_incident(agent->core, &incident, MOMENT(0));
    page_answer(agent, &request, &response);
    assert_int_equal(response.status, 200);
    char *page = agent_fixture_take_body(&response);
    page_check(page);
    page_has(page, "id=\"incident-7\"");
    return page;
}

static void test_slow_names_the_hop_and_whose_queue_it_was(void **state)
{
    const struct evidence evidence = {
        .latency = SPAN_SECONDS(82),
        .threshold = SPAN_SECONDS(60),
        .late = 3,
        .of = 5,
        .hop = {.to = "mx<1>.example", .from = "edge&.example", .delay = SPAN_SECONDS(80)}};
    char *page = card_of(*state, INCIDENT_SLOW, PATH_OF_CARDS, &evidence);
    page_has(page, "3 of the last 5 took more than 60 s, the last 82 s; its slowest hop took 80 s "
                   "between edge&amp;.example and mx&lt;1&gt;.example</dd>");
    page_has(page, "<dt>Whose fault</dt><dd>edge&amp;.example, or its way to mx&lt;1&gt;.example");
    free(page);
}

static void test_slow_without_a_way_says_that_nobody_knows(void **state)
{
    const struct evidence evidence = {.threshold = SPAN_SECONDS(60), .late = 3, .of = 5};
    char *page = card_of(*state, INCIDENT_SLOW, PATH_OF_CARDS, &evidence);
    page_has(page, "<dt>Whose fault</dt><dd>not known: no other agent can tell</dd>");
    assert_null(strstr(page, "slowest hop"));
    free(page);
}

static void test_bounced_names_who_refused_it_and_how(void **state)
{
    struct agent *agent = *state;
    struct probe_record record = {
        .id = {{1}}, .peer = "mx02", .direction = OUTBOUND, .sent = WALL(5)};
    const struct bounce bounce = {
        BOUNCE_FAILED, "5.1.1", "mx<9>.example", "550 5.1.1 unknown <b>", "probe@mx02.example", ""};
    struct error error;
    store_put_probe(agent->store, &record);
    store_put_bounce(agent->store, &record.id, &bounce, WALL(8));
    assert_true(store_commit(agent->store, STORE_FAST, &error));
    const struct evidence evidence = {
        .failures = 2, .has_probe = true, .probe = record.id, .cause = "550 5.1.1 unknown <b>"};
    char *page = card_of(agent, INCIDENT_BOUNCED, "mx01->mx02", &evidence);
    page_has(page, "2 probes came back, refused by mx&lt;9&gt;.example with status 5.1.1: "
                   "550 5.1.1 unknown &lt;b&gt;</dd>");
    page_has(page, "<dt>Whose fault</dt><dd>mx02, or a server before it");
    page_has(page, "The probe that shows it</a>");
    free(page);
}

static void test_silence_names_an_agent_that_could_tell(void **state)
{
    struct agent *agent = *state;
    const struct evidence evidence = {
        .oldest_age = SPAN_SECONDS(500), .threshold = SPAN_SECONDS(300), .in_flight = 4};
    char *page = card_of(agent, INCIDENT_SILENT, "mx01->mx02", &evidence);
    page_has(page, "<dt>Whose fault</dt><dd>not known: no other agent can tell</dd>");
    free(page);
    text_keep(&agent_fixture_peer(agent, 0)->exchange.cause, EXCHANGE_CAUSE_SIZE,
              "its agent answers 403: add <it>");
    struct http_request request = {.path = "/", .now = MOMENT(100)};
    struct http_response response = {0};
    page_answer(agent, &request, &response);
    page = agent_fixture_take_body(&response);
    page_has(page,
             "<dd>not known: mx02 could tell, but its agent answers 403: add &lt;it&gt;</dd>");
    free(page);
}

static void test_refused_names_the_relay(void **state)
{
    const struct evidence evidence = {.failures = 3, .cause = "cannot connect: refused"};
    char *page = card_of(*state, INCIDENT_REFUSED, "mx01->mx02", &evidence);
    page_has(page, "3 submissions in a row failed: cannot connect: refused</dd>");
    page_has(page, "<dd>our own relay, 127.0.0.1:25, or our way to it</dd>");
    free(page);
}

static void test_rerouted_shows_both_ways(void **state)
{
    const struct evidence evidence = {.route = "a.example <b>.example mx01",
                                      .usual_route = "a.example mx01"};
    char *page = card_of(*state, INCIDENT_REROUTED, PATH_OF_CARDS, &evidence);
    page_has(page, "over a.example &rarr; &lt;b&gt;.example &rarr; mx01 instead of a.example "
                   "&rarr; mx01</dd>");
    page_has(page, "<dd>no outage: somebody changed mx02, mx01 or what is between them</dd>");
    free(page);
}

static void test_unauthenticated_says_what_passes_no_more(void **state)
{
    const struct evidence evidence = {
        .method = AUTH_DKIM, .result = AUTH_FAIL, .cause = "signature did not verify <i>"};
    char *page = card_of(*state, INCIDENT_UNAUTHENTICATED, PATH_OF_CARDS, &evidence);
    page_has(page, "dkim used to pass, and now says fail: signature did not verify &lt;i&gt;</dd>");
    page_has(page, "<span>mx02 &rarr; mx01: mail is not authenticated any more</span>");
    free(page);
}

static void test_misplaced_says_where(void **state)
{
    const struct evidence evidence = {.late = 3, .of = 5, .cause = "folder Junk & more"};
    char *page = card_of(*state, INCIDENT_MISPLACED, PATH_OF_CARDS, &evidence);
    page_has(page, "3 of the last 5 lay in another folder: folder Junk &amp; more</dd>");
    free(page);
}

static void test_certificate_says_which_and_why(void **state)
{
    const struct evidence evidence = {.cause = "agent https://mx02.example: certificate of its "
                                               "authority R<1> expires in 3 days"};
    char *page = card_of(*state, INCIDENT_CERTIFICATE, "mx02", &evidence);
    page_has(page, "a certificate needs to be replaced: agent https://mx02.example: certificate of "
                   "its authority R&lt;1&gt; expires in 3 days</dd>");
    page_has(page, "<dd>mx02, or those who look after its certificates</dd>");
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_slow_names_the_hop_and_whose_queue_it_was, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_slow_without_a_way_says_that_nobody_knows, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_bounced_names_who_refused_it_and_how, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence_names_an_agent_that_could_tell, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_refused_names_the_relay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rerouted_shows_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unauthenticated_says_what_passes_no_more, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_misplaced_says_where, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certificate_says_which_and_why, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
