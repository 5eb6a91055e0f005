// Certificates of several endpoints of one server: whose they are, which is the worst, and when the
// incident about them is over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "core/trouble.h"
#include "core_fixture.h"

#define DAYS(n) SPAN_HOURS((n)*24)

static const struct mailbox_settings MAILBOXES[] = {
    {.name = "local", .tls = TLS_STARTTLS},
    {.name = "far", .tls = TLS_IMPLICIT},
    {.name = "clear", .tls = TLS_NONE},
};

// Our relay speaks TLS; p0 has an agent over HTTPS and a relay of its own; p1 is read in "far".
static void configure(struct core_fixture *fixture)
{
    struct settings *before = fixture->settings;
    fixture->settings = core_settings_of(2);
    struct peer_settings *peers = (struct peer_settings *)fixture->settings->peers;
    fixture->settings->mailboxes = MAILBOXES;
    fixture->settings->mailbox_count = 3;
    fixture->settings->incidents.certificate_expires = DAYS(14);
    fixture->settings->relay =
        (struct relay_settings){.host = "127.0.0.1", .port = 25, .tls = TLS_STARTTLS};
    peers[0].agent = "https://p0.example:9925";
    peers[0].relay = (struct relay_settings){.host = "out", .port = 587, .tls = TLS_STARTTLS};
    peers[1].collect = "far";
    peers[1].relay = fixture->settings->relay;
    core_configure(fixture->core, fixture->settings, fixture->now);
    arena_destroy(before->arena);
}

static void begin(struct core_fixture *fixture)
{
    core_fixture_begin(fixture, 2);
    core_fixture_wait(fixture, SPAN_MINUTES(10));
    configure(fixture);
    core_fixture_time(fixture);
}

static struct certificate good_for(const struct core_fixture *fixture, struct span left)
{
    return (struct certificate){
        .seen = true, .verified = true, .expires = walltime_add(fixture->now.wall, left)};
}

static void see_mailbox(struct core_fixture *fixture, int mailbox,
                        const struct certificate *certificate)
{
    struct event event = {.kind = EVENT_MAILBOX};
    event.mailbox.mailbox = mailbox;
    event.mailbox.readable = certificate->verified;
    event.mailbox.cause = "not trusted";
    event.mailbox.certificate = certificate;
    core_fixture_handle(fixture, &event);
}

static void see_agent(struct core_fixture *fixture, int peer, const struct certificate *certificate)
{
    struct event event = {.kind = EVENT_CERTIFICATE};
    event.certificate.endpoint = (struct certificate_endpoint){CERTIFICATE_AGENT, peer};
    event.certificate.certificate = certificate;
    event.certificate.cause = "TLS: not trusted";
    core_fixture_handle(fixture, &event);
}

static void see_own(struct core_fixture *fixture, enum certificate_place place,
                    const struct certificate *certificate)
{
    struct event event = {.kind = EVENT_CERTIFICATE};
    event.certificate.endpoint = (struct certificate_endpoint){place, OWN_SERVER};
    event.certificate.certificate = certificate;
    event.certificate.cause = "TLS: not trusted";
    core_fixture_handle(fixture, &event);
}

static void see_relay(struct core_fixture *fixture, int peer, const struct certificate *certificate)
{
    struct event event = {.kind = EVENT_SUBMITTED};
    event.submitted.peer = peer;
    event.submitted.outcome =
        (struct submit_outcome){.result = SUBMIT_REFUSED, .reply_class = REPLY_LOCAL};
    event.submitted.outcome.certificate = *certificate;
    core_fixture_handle(fixture, &event);
}

static const struct incident *find(const struct core_fixture *fixture, int server)
{
    struct subject subject = {.kind = SUBJECT_SERVER, .peer = server};
    const struct incidents *incidents = core_incidents(fixture->core);
    int64_t place = incidents_find(incidents, INCIDENT_CERTIFICATE, &subject);
    return place < 0 ? NULL : incidents->places[place];
}

static void test_whose_they_are(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture);
    struct certificate soon = good_for(&fixture, DAYS(3)), good = good_for(&fixture, DAYS(90));
    see_mailbox(&fixture, 2, &soon); // no TLS is spoken there
    assert_null(find(&fixture, OWN_SERVER));
    see_mailbox(&fixture, 1, &soon); // it is read for p1
    assert_string_equal(find(&fixture, 1)->subject_text, "p1");
    assert_string_equal(find(&fixture, 1)->evidence.cause,
                        "mailbox far: certificate expires in 3 days");
    see_relay(&fixture, 1, &soon); // ours
    assert_string_equal(find(&fixture, OWN_SERVER)->evidence.cause,
                        "relay 127.0.0.1:25: certificate expires in 3 days");
    see_relay(&fixture, 0, &soon);
    assert_string_equal(find(&fixture, 0)->evidence.cause,
                        "relay out:587: certificate expires in 3 days");
    see_relay(&fixture, 1, &good);
    assert_null(find(&fixture, OWN_SERVER));
    core_fixture_wait(&fixture, SPAN_MINUTES(2));
    see_mailbox(&fixture, 1, &good);
    see_relay(&fixture, 0, &good);
    assert_null(find(&fixture, 0));
    assert_null(find(&fixture, 1));
    core_fixture_end(&fixture);
}

static void test_the_worst_is_told(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture);
    struct certificate ten = good_for(&fixture, DAYS(10)), one = good_for(&fixture, DAYS(1));
    struct certificate bad = {.seen = true, .expires = good_for(&fixture, DAYS(90)).expires};
    struct certificate good = good_for(&fixture, DAYS(90));
    see_relay(&fixture, 0, &ten);
    see_agent(&fixture, 0, &one);
    assert_string_equal(find(&fixture, 0)->evidence.cause,
                        "agent https://p0.example:9925: certificate expires in 24 hours");
    see_agent(&fixture, 0, &bad);
    assert_string_equal(find(&fixture, 0)->evidence.cause,
                        "agent https://p0.example:9925: TLS: not trusted");
    see_relay(&fixture, 0, &one);
    assert_string_equal(find(&fixture, 0)->evidence.cause,
                        "agent https://p0.example:9925: TLS: not trusted");
    core_fixture_wait(&fixture, SPAN_MINUTES(2));
    see_agent(&fixture, 0, &good);
    assert_string_equal(find(&fixture, 0)->evidence.cause,
                        "relay out:587: certificate expires in 23 hours");
    see_relay(&fixture, 0, &good);
    assert_null(find(&fixture, 0));
    core_fixture_end(&fixture);
}

static void assert_cause(const struct core_fixture *fixture, int server, const char *cause)
{
    assert_non_null(find(fixture, server));
    assert_string_equal(find(fixture, server)->evidence.cause, cause);
}

// Ours over HTTPS, which nobody verifies here, and that of the Alertmanager that we ask.
static void test_what_is_ours_over_http(void **state)
{
    (void)state;
    static const char *const MEMBERS[] = {"http://one.example", "https://two.example"};
    struct core_fixture fixture;
    begin(&fixture);
    struct certificate soon = good_for(&fixture, DAYS(3)), good = good_for(&fixture, DAYS(90));
    struct certificate bad = {.seen = true, .expires = good.expires};
    see_own(&fixture, CERTIFICATE_HTTP, &soon); // no such file is configured
    see_own(&fixture, CERTIFICATE_ALERTMANAGER, &soon);
    assert_null(find(&fixture, OWN_SERVER));
    fixture.settings->http.certificate_file = "tls.pem";
    fixture.settings->maintenance.alertmanager.urls = MEMBERS;
    fixture.settings->maintenance.alertmanager.url_count = 2;
    see_own(&fixture, CERTIFICATE_HTTP, &soon);
    assert_cause(&fixture, OWN_SERVER, "http.certificate_file: certificate expires in 3 days");
    see_own(&fixture, CERTIFICATE_ALERTMANAGER, &bad);
    assert_cause(&fixture, OWN_SERVER, "alertmanager: TLS: not trusted");
    core_fixture_wait(&fixture, SPAN_MINUTES(2));
    see_own(&fixture, CERTIFICATE_ALERTMANAGER, &good);
    assert_cause(&fixture, OWN_SERVER, "http.certificate_file: certificate expires in 2 days");
    see_own(&fixture, CERTIFICATE_HTTP, &good);
    assert_null(find(&fixture, OWN_SERVER));
    core_fixture_end(&fixture);
}

// What no setting wants any more is no trouble, even when it was the server's only certificate.
static void test_over_when_it_is_not_wanted_any_more(void **state)
{
    (void)state;
    struct core_fixture fixture;
    core_fixture_begin(&fixture, 1);
    core_fixture_wait(&fixture, SPAN_MINUTES(10));
    fixture.settings->incidents.certificate_expires = DAYS(14);
    fixture.settings->http.certificate_file = "tls.pem";
    struct certificate soon = good_for(&fixture, DAYS(3));
    see_own(&fixture, CERTIFICATE_HTTP, &soon);
    assert_non_null(find(&fixture, OWN_SERVER));
    core_fixture_run(&fixture, SPAN_HOURS(1), NULL, NULL);
    assert_non_null(find(&fixture, OWN_SERVER));
    fixture.settings->http.certificate_file = "";
    core_fixture_run(&fixture, SPAN_HOURS(1), NULL, NULL);
    assert_null(find(&fixture, OWN_SERVER));
    core_fixture_end(&fixture);
}

static void test_an_authority_that_ends_first_is_named(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture);
    struct certificate soon = good_for(&fixture, DAYS(3));
    text_copy(soon.authority, sizeof soon.authority, "Example, R1");
    see_agent(&fixture, 0, &soon);
    assert_cause(&fixture, 0,
                 "agent https://p0.example:9925: certificate of its authority Example, R1 expires "
                 "in 3 days");
    core_fixture_end(&fixture);
}

// That of an agent has no outage to wait for.
static void test_an_agent_that_does_not_verify_is_said_at_once(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture);
    struct certificate bad = {.seen = true, .expires = fixture.now.wall};
    see_agent(&fixture, 0, &bad);
    assert_int_equal(core_fixture_count(&fixture, ACTION_NOTIFY), 1);
    core_fixture_end(&fixture);
}

// Restored, it is not over before each certificate of the server has been seen again.
static void test_of_an_earlier_run(void **state)
{
    (void)state;
    struct core_fixture fixture;
    begin(&fixture);
    struct certificate good = good_for(&fixture, DAYS(90));
    struct incident restored = {.id = 9,
                                .kind = INCIDENT_CERTIFICATE,
                                .subject_text = "p0",
                                .opened =
                                    walltime_add(fixture.now.wall, (struct span){-DAYS(1).ns}),
                                .notified = true,
                                .notified_at = fixture.now.wall};
    core_restore_incident(fixture.core, &restored, fixture.now);
    see_agent(&fixture, 0, &good);
    assert_non_null(find(&fixture, 0));
    see_relay(&fixture, 0, &good);
    assert_null(find(&fixture, 0));
    core_fixture_end(&fixture);
}

// All certificates of a large mesh end on one day: the core bounds what it says in one call.
static void test_many_at_once(void **state)
{
    (void)state;
    struct core_fixture fixture;
    enum { PEERS = 500 };
    core_fixture_begin(&fixture, PEERS);
    struct peer_settings *peers = (struct peer_settings *)fixture.settings->peers;
    fixture.settings->incidents.certificate_expires = DAYS(14);
    for (int i = 0; i < PEERS; i++) {
        peers[i].agent = "https://agent.example";
    }
    struct certificate soon = good_for(&fixture, DAYS(14));
    soon.expires = walltime_add(soon.expires, SPAN_MINUTES(1));
    for (int i = 0; i < PEERS; i++) {
        see_agent(&fixture, i, &soon);
    }
    assert_null(find(&fixture, 0));
    core_fixture_run(&fixture, SPAN_HOURS(1), NULL, NULL);
    for (int i = 0; i < PEERS; i++) {
        assert_non_null(find(&fixture, i));
    }
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whose_they_are),
        cmocka_unit_test(test_the_worst_is_told),
        cmocka_unit_test(test_what_is_ours_over_http),
        cmocka_unit_test(test_over_when_it_is_not_wanted_any_more),
        cmocka_unit_test(test_an_authority_that_ends_first_is_named),
        cmocka_unit_test(test_an_agent_that_does_not_verify_is_said_at_once),
        cmocka_unit_test(test_of_an_earlier_run),
        cmocka_unit_test(test_many_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
