// The lines of incidents: as the contract has them, and what each kind shows.
#include "full_evidence.h"
#include "journal_listener.h"

static void say(struct listener *listener, const struct incident *incident, enum notice notice,
                const char *smtp, const struct bounce *bounce)
{
    struct incident_notice said = {
        .incident = incident, .notice = notice, .smtp = smtp, .bounce = bounce};
    journal_incident(listener->journal, &said);
}

// ---- overrun, as the contract has it ----

static struct incident overrun(void)
{
    return (struct incident){
        .id = 17,
        .kind = INCIDENT_OVERRUN,
        .severity = SEVERITY_CRITICAL,
        .subject_text = "mx01",
        .opened = AFTER(300),
        .aftermath = {.window = "w-1f3a",
                      .planned_end = AFTER(0),
                      .drained = 4,
                      .suppressed = 6,
                      .longest = SPAN_SECONDS(2926)},
        .evidence = {.in_flight = 3},
    };
}

static void overrun_fires_with_its_window(void **state)
{
    struct listener *listener = *state;
    struct incident incident = overrun();
    say(listener, &incident, NOTICE_FIRING, "", NULL);
    assert_said(listener, LOG_CRIT,
                "overrun FIRING severity=critical server=mx01 kind=routine window=w-1f3a "
                "planned_end=2006-07-28T12:48:00Z late_by=300s in_flight=3 incident=17 "
                "maintenance=none");
    journal_incident(listener->journal,
                     &(struct incident_notice){&incident, NOTICE_FIRING, 1, true, "", NULL});
    assert_said(listener, LOG_CRIT,
                "overrun FIRING severity=critical server=mx01 kind=routine window=w-1f3a "
                "planned_end=2006-07-28T12:48:00Z late_by=300s in_flight=3 incident=17 "
                "repeated=maybe maintenance=none");
    incident.notified = true;
    incident.notified_at = AFTER(14400);
    say(listener, &incident, NOTICE_REMINDER, "", NULL);
    assert_said(listener, LOG_CRIT,
                "overrun REMINDER severity=critical server=mx01 kind=routine window=w-1f3a "
                "planned_end=2006-07-28T12:48:00Z late_by=14400s in_flight=3 incident=17 "
                "maintenance=none");
}

static void overrun_resolves_with_its_sum(void **state)
{
    struct listener *listener = *state;
    struct incident incident = overrun();
    strcpy(incident.evidence.cause, "connection refused"); // is no reason to close
    incident.closed = AFTER(1187);
    incident.aftermath.resumed[OUTBOUND] = AFTER(600);
    incident.aftermath.resumed[INBOUND] = AFTER(1187);
    strcpy(incident.aftermath.resumed_by, "mx02->mx01");
    say(listener, &incident, NOTICE_RESOLVED, "", NULL);
    assert_said(listener, LOG_NOTICE,
                "overrun RESOLVED server=mx01 planned_end=2006-07-28T12:48:00Z "
                "resumed=2006-07-28T13:07:47Z overran=1187s drained=4 lost=0 in_flight=0 "
                "suppressed=6 longest=2926s resumed_by=mx02->mx01 incident=17");
    strcpy(incident.ended, "3,16");
    say(listener, &incident, NOTICE_RESOLVED, "", NULL);
    assert_said(listener, LOG_NOTICE,
                "overrun RESOLVED server=mx01 planned_end=2006-07-28T12:48:00Z "
                "resumed=2006-07-28T13:07:47Z overran=1187s drained=4 lost=0 in_flight=0 "
                "suppressed=6 longest=2926s resumed_by=mx02->mx01 incident=17 ends=3,16");
}

static void overrun_that_a_window_ends_says_so(void **state)
{
    struct listener *listener = *state;
    struct incident incident = overrun();
    incident.closed = AFTER(500);
    incident.aftermath.resumed[INBOUND] = AFTER(400);
    strcpy(incident.evidence.cause, "extended");
    say(listener, &incident, NOTICE_RESOLVED, "", NULL);
    assert_said(listener, LOG_NOTICE,
                "overrun RESOLVED server=mx01 planned_end=2006-07-28T12:48:00Z reason=extended "
                "drained=4 lost=0 in_flight=0 suppressed=6 longest=2926s incident=17");
}

// A reload has taken its server out of the configuration: mail to it has not resumed, and will not.
static void overrun_of_a_server_that_is_gone_tells_no_resumption(void **state)
{
    struct listener *listener = *state;
    struct incident incident = overrun();
    incident.closed = AFTER(500);
    say(listener, &incident, NOTICE_RESOLVED, "", NULL);
    assert_said(listener, LOG_NOTICE,
                "overrun RESOLVED server=mx01 planned_end=2006-07-28T12:48:00Z "
                "closed=2006-07-28T12:56:20Z drained=4 lost=0 in_flight=0 suppressed=6 "
                "longest=2926s incident=17");
}

// ---- the other kinds ----

static void every_kind_shows_its_evidence(void **state)
{
#define TAIL " incident=3 probe=AEAAAAAAAAAAAAAAAAAAAAAAAA maintenance=w-1 cause=\"no route\""
    static const struct {
        enum incident_kind kind;
        const char *line;
    } CASES[] = {
        {INCIDENT_ISOLATED, "isolated FIRING severity=warning server=X bad=3/5 for=30s" TAIL},
        {INCIDENT_BLIND, "blind FIRING severity=warning mailbox=X unreadable=90s" TAIL},
        {INCIDENT_DOWN, "down FIRING severity=warning server=X overdue=90s in_flight=7" TAIL},
        {INCIDENT_UNHEARD, "unheard FIRING severity=warning server=X overdue=90s in_flight=7" TAIL},
        {INCIDENT_REFUSED, "refused FIRING severity=warning path=X failures=4" TAIL},
        {INCIDENT_BOUNCED, "bounced FIRING severity=warning path=X bounced=4" TAIL},
        {INCIDENT_SILENT, "silent FIRING severity=warning path=X overdue=90s threshold=60s" TAIL},
        {INCIDENT_SLOW, "slow FIRING severity=warning path=X latency=82.4s threshold=60s "
                        "late=3/5 oldest_age=90s" TAIL},
        {INCIDENT_STUCK, "stuck FIRING severity=warning server=X in_flight=7 oldest_age=90s" TAIL},
        {INCIDENT_LOST, "lost FIRING severity=warning path=X lost=4" TAIL},
        {INCIDENT_CERTIFICATE, "certificate FIRING severity=warning server=X days_left=0.0" TAIL},
        {INCIDENT_REROUTED,
         "rerouted FIRING severity=warning path=X route=\"a b c\" usual=\"a c\"" TAIL},
        {INCIDENT_UNAUTHENTICATED,
         "unauthenticated FIRING severity=warning path=X method=dkim result=fail" TAIL},
        {INCIDENT_MISPLACED,
         "misplaced FIRING severity=warning path=X misplaced=3/5 folder=\"no route\" incident=3 "
         "probe=AEAAAAAAAAAAAAAAAAAAAAAAAA maintenance=w-1"},
        {INCIDENT_CLOCK, "clock FIRING severity=warning server=X offset=82.4s error=60s" TAIL},
        {INCIDENT_FORGED, "forged FIRING severity=warning server=X tags=4" TAIL},
    };
    struct incident incident = {.id = 3,
                                .subject_text = "X",
                                .began = AFTER(0),
                                .opened = AFTER(30),
                                .suppressed_by = "w-1",
                                .evidence = full_evidence()};
    incident.evidence.hop.to[0] = '\0'; // is told of any that has one
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct listener *listener = *state;
        incident.kind = CASES[i].kind;
        say(listener, &incident, NOTICE_FIRING, "", NULL);
        assert_said(listener, LOG_WARNING, CASES[i].line);
    }
}

static void a_bounce_is_said_in_the_words_of_the_server(void **state)
{
    struct listener *listener = *state;
    struct incident incident = {
        .id = 3,
        .kind = INCIDENT_BOUNCED,
        .severity = SEVERITY_CRITICAL,
        .subject_text = "mx02->mx01",
        .evidence = {
            .failures = 2, .has_probe = true, .probe = {{1}}, .cause = "550 5.1.1 no suc"}};
    const struct bounce bounce = {BOUNCE_FAILED,        "5.1.1",
                                  "mx01.example",       "550 5.1.1 no \"such\" \u202Euser",
                                  "probe@mx01.example", ""};
    say(listener, &incident, NOTICE_FIRING, "", &bounce);
    assert_said(listener, LOG_CRIT,
                "bounced FIRING severity=critical path=mx02->mx01 bounced=2 status=5.1.1 "
                "remote=mx01.example incident=3 probe=AEAAAAAAAAAAAAAAAAAAAAAAAA maintenance=none "
                "cause=\"550 5.1.1 no \\\"such\\\" \\xe2\\x80\\xaeuser\"");
    journal_bounce(listener->journal, "mx02->mx01", &incident.evidence.probe, BOUNCE_FATE_STALE,
                   &bounce);
    assert_said(listener, LOG_DEBUG,
                "bounce REPORTED path=mx02->mx01 probe=AEAAAAAAAAAAAAAAAAAAAAAAAA action=failed "
                "fate=stale status=5.1.1 remote=mx01.example "
                "cause=\"550 5.1.1 no \\\"such\\\" \\xe2\\x80\\xaeuser\"");
}

static void the_cells_behind_it_come_last(void **state)
{
    struct listener *listener = *state;
    struct incident incident = {
        .id = 3,
        .kind = INCIDENT_SILENT,
        .severity = SEVERITY_CRITICAL,
        .subject_text = "mx07->mx01",
        .evidence = {.oldest_age = SPAN_SECONDS(90), .threshold = SPAN_SECONDS(60)},
        .cells = {.culprit = CULPRIT_SENDER,
                  .seen_by = 6,
                  .of = 7,
                  .paths = "mx07->mx01,mx02 bad; mx01->mx07 ok"}};
    say(listener, &incident, NOTICE_FIRING, "250 ok", NULL);
    assert_said(listener, LOG_CRIT,
                "silent FIRING severity=critical path=mx07->mx01 overdue=90s threshold=60s "
                "culprit=sender seen_by=6/7 incident=3 maintenance=none smtp=\"250 ok\" "
                "cells=\"mx07->mx01,mx02 bad; mx01->mx07 ok\"");
}

// Words of others may be as long as they like: they cut off nothing that we know ourselves.
static void the_hop_comes_before_the_words_of_others(void **state)
{
    struct listener *listener = *state;
    char smtp[600];
    struct incident incident = {
        .id = 3,
        .kind = INCIDENT_SLOW,
        .subject_text = "mx02->mx01",
        .evidence = {.latency = SPAN_SECONDS(82),
                     .threshold = SPAN_SECONDS(60),
                     .late = 3,
                     .of = 5,
                     .hop = {.to = "mx03", .from = "mx02", .delay = SPAN_SECONDS(80)}}};
    memset(smtp, '\1', sizeof smtp - 1);
    smtp[sizeof smtp - 1] = '\0';
    memset(incident.evidence.cause, '\1', sizeof incident.evidence.cause - 1);
    say(listener, &incident, NOTICE_FIRING, smtp, NULL);
    int priority;
    const char *line = heard(listener, &priority);
    const char *hop = strstr(line, " hop=mx03 hop_delay=80s hop_from=mx02 cause=\"\\x01");
    assert_non_null(hop);
}

// A report of a delay says why it waits; an end that is none of the matter itself says so.
static void words_of_a_delay_and_an_end_of_another_kind(void **state)
{
    struct listener *listener = *state;
    struct incident incident = {
        .id = 3,
        .kind = INCIDENT_SILENT,
        .severity = SEVERITY_CRITICAL,
        .subject_text = "mx02->mx01",
        .evidence = {.oldest_age = SPAN_SECONDS(90), .threshold = SPAN_SECONDS(60)}};
    const struct bounce delay = {BOUNCE_DELAYED, "4.4.1", "mx01.example", "timed out", "", ""};
    say(listener, &incident, NOTICE_FIRING, "", &delay);
    assert_said(listener, LOG_CRIT,
                "silent FIRING severity=critical path=mx02->mx01 overdue=90s threshold=60s "
                "incident=3 maintenance=none cause=\"timed out\"");
    incident.kind = INCIDENT_UNAUTHENTICATED;
    incident.severity = SEVERITY_WARNING;
    incident.began = AFTER(0);
    incident.closed = AFTER(60);
    incident.end = END_UNTOLD;
    say(listener, &incident, NOTICE_RESOLVED, "", NULL);
    assert_said(listener, LOG_NOTICE,
                "unauthenticated RESOLVED severity=warning path=mx02->mx01 "
                "began=2006-07-28T12:48:00Z closed=2006-07-28T12:49:00Z duration=60s "
                "reason=untold drained=0 lost=0 in_flight=0 suppressed=0 longest=0s incident=3");
}

static void a_relay_that_takes_nothing_isolates(void **state)
{
    struct listener *listener = *state;
    struct incident incident = {.id = 4,
                                .kind = INCIDENT_ISOLATED,
                                .severity = SEVERITY_CRITICAL,
                                .subject_text = "mx02",
                                .began = AFTER(0),
                                .opened = AFTER(120),
                                .notified = true,
                                .notified_at = AFTER(121),
                                .evidence = {.failures = 5, .cause = "connection refused"}};
    say(listener, &incident, NOTICE_FIRING, "", NULL);
    assert_said(listener, LOG_CRIT,
                "isolated FIRING severity=critical server=mx02 failures=5 for=121s incident=4 "
                "maintenance=none cause=\"connection refused\"");
}

static void an_outage_resolves_with_what_it_held_up(void **state)
{
    struct listener *listener = *state;
    struct incident incident = overrun();
    incident.kind = INCIDENT_SILENT;
    strcpy(incident.subject_text, "mx02->mx01");
    incident.began = AFTER(-60);
    incident.closed = AFTER(40);
    incident.aftermath.in_flight = 2;
    say(listener, &incident, NOTICE_RESOLVED, "", NULL);
    assert_said(listener, LOG_NOTICE,
                "silent RESOLVED severity=critical path=mx02->mx01 began=2006-07-28T12:47:00Z "
                "closed=2006-07-28T12:48:40Z duration=100s drained=4 lost=0 in_flight=2 "
                "suppressed=6 longest=2926s incident=17");
}

static void what_flaps_and_what_is_suppressed_is_said_as_such(void **state)
{
    struct listener *listener = *state;
    struct incident incident = {.id = 1,
                                .kind = INCIDENT_REFUSED,
                                .severity = SEVERITY_CRITICAL,
                                .subject_text = "mx01->mx02",
                                .evidence = {.failures = 3}};
    say(listener, &incident, NOTICE_FLAPPING, "450 4.2.0 \"try\" later", NULL);
    assert_said(listener, LOG_CRIT,
                "refused FLAPPING severity=critical path=mx01->mx02 failures=3 incident=1 "
                "maintenance=none smtp=\"450 4.2.0 \\\"try\\\" later\"");
    strcpy(incident.suppressed_by, "w-9");
    say(listener, &incident, NOTICE_SUPPRESSED, "", NULL);
    assert_said(listener, LOG_INFO,
                "refused SUPPRESSED severity=critical path=mx01->mx02 failures=3 incident=1 "
                "maintenance=w-9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(overrun_fires_with_its_window),
        TEST(overrun_resolves_with_its_sum),
        TEST(overrun_that_a_window_ends_says_so),
        TEST(overrun_of_a_server_that_is_gone_tells_no_resumption),
        TEST(every_kind_shows_its_evidence),
        TEST(the_cells_behind_it_come_last),
        TEST(a_bounce_is_said_in_the_words_of_the_server),
        TEST(the_hop_comes_before_the_words_of_others),
        TEST(words_of_a_delay_and_an_end_of_another_kind),
        TEST(a_relay_that_takes_nothing_isolates),
        TEST(an_outage_resolves_with_what_it_held_up),
        TEST(what_flaps_and_what_is_suppressed_is_said_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
