// The lines that the agent says to its operator of what drained, maintenance and clocks, read where
// syslog would read them.
#include "journal_listener.h"

// ---- what drained ----

static void a_drain_is_done(void **state)
{
    struct listener *listener = *state;
    struct drained drained = {.server = "mx01", .arrived = 4, .longest = SPAN_SECONDS(2926)};
    journal_drained(listener->journal, &drained);
    assert_said(listener, LOG_INFO,
                "drain DONE server=mx01 arrived=4 lost=0 longest=2926s in_flight=0");
    strcpy(drained.window, "w-1f3a");
    drained.incident = 17;
    drained.in_flight = 1;
    journal_drained(listener->journal, &drained);
    assert_said(listener, LOG_INFO,
                "drain DONE server=mx01 arrived=4 lost=0 longest=2926s in_flight=1 "
                "window=w-1f3a incident=17");
}

static void a_cohort_is_one_line(void **state)
{
    struct listener *listener = *state;
    struct cohort cohort = {4, AFTER(-1739), AFTER(960), AFTER(1187)};
    journal_cohort(listener->journal, &cohort, "mx02->mx01");
    assert_said(listener, LOG_INFO,
                "cohort ARRIVED path=mx02->mx01 count=4 first_sent=2006-07-28T12:19:01Z "
                "last_sent=2006-07-28T13:04:00Z resumed=2006-07-28T13:07:47Z");
}

// ---- maintenance and clocks ----

static struct window window(void)
{
    return (struct window){.id = "w-1f3a",
                           .revision = 1,
                           .server = "mx01",
                           .begin = AFTER(-1800),
                           .end = AFTER(0),
                           .by = "root@mx01",
                           .reason = "kernel update"};
}

static void a_window_begins_with_who_knows(void **state)
{
    struct listener *listener = *state;
    struct window of = window();
    const struct acknowledgement_count all = {2, 2}, none = {0, 2};
    journal_window(listener->journal, &of, WINDOW_CHANGED, none);
    assert_said(listener, LOG_NOTICE,
                "maintenance ANNOUNCED server=mx01 kind=routine window=w-1f3a "
                "begin=2006-07-28T12:18:00Z end=2006-07-28T12:48:00Z by=root@mx01 "
                "reason=\"kernel update\" acknowledged=0/2");
    journal_window(listener->journal, &of, WINDOW_BEGINS, all);
    assert_said(listener, LOG_NOTICE,
                "maintenance BEGIN server=mx01 kind=routine window=w-1f3a "
                "end=2006-07-28T12:48:00Z by=root@mx01 reason=\"kernel update\" "
                "acknowledged=2/2");
    of.origin = ORIGIN_PEER;
    journal_window(listener->journal, &of, WINDOW_ENDS, none);
    assert_said(listener, LOG_NOTICE,
                "maintenance END server=mx01 kind=routine window=w-1f3a "
                "end=2006-07-28T12:48:00Z by=root@mx01 reason=\"kernel update\"");
}

static void a_changed_window_says_how(void **state)
{
    struct listener *listener = *state;
    struct window of = window();
    const struct acknowledgement_count none = {0, 2};
    of.revision = 2;
    journal_window(listener->journal, &of, WINDOW_CHANGED, none);
    assert_said(listener, LOG_NOTICE,
                "maintenance CHANGED server=mx01 kind=routine window=w-1f3a "
                "begin=2006-07-28T12:18:00Z end=2006-07-28T12:48:00Z by=root@mx01 "
                "reason=\"kernel update\" acknowledged=0/2");
    of.cancelled = true;
    of.end = of.begin;
    of.kind = WINDOW_EMERGENCY;
    journal_window(listener->journal, &of, WINDOW_CHANGED, none);
    assert_said(listener, LOG_NOTICE,
                "maintenance CANCELLED server=mx01 kind=emergency window=w-1f3a "
                "begin=2006-07-28T12:18:00Z end=2006-07-28T12:18:00Z by=root@mx01 "
                "reason=\"kernel update\" acknowledged=0/2");
}

// A rule makes hundreds of them; when one begins it counts as any other.
static void what_rules_announce_is_said_quietly(void **state)
{
    static const struct {
        const char *by;
        enum window_origin origin;
        int priority;
    } CASES[] = {
        {"config@mx01", ORIGIN_CONFIG, LOG_INFO},     {"calendar@mx01", ORIGIN_CALENDAR, LOG_INFO},
        {"calendar@mx02", ORIGIN_PEER, LOG_INFO},     {"root@mx02", ORIGIN_PEER, LOG_NOTICE},
        {"flag@mx01", ORIGIN_FLAG, LOG_NOTICE},       {"config@mx01", ORIGIN_OPERATOR, LOG_NOTICE},
        {"configurer@mx02", ORIGIN_PEER, LOG_NOTICE},
    };
    struct listener *listener = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char line[256];
        struct window of = {.id = "c-1", .revision = 1, .server = "mx01", .end = AFTER(0)};
        const struct acknowledgement_count none = {0, 1};
        const char *count = CASES[i].origin == ORIGIN_PEER ? "" : " acknowledged=0/1";
        of.origin = CASES[i].origin;
        of.begin = AFTER(-60);
        strcpy(of.by, CASES[i].by);
        journal_window(listener->journal, &of, WINDOW_CHANGED, none);
        snprintf(line, sizeof line,
                 "maintenance ANNOUNCED server=mx01 kind=routine window=c-1 "
                 "begin=2006-07-28T12:47:00Z end=2006-07-28T12:48:00Z by=%s reason=\"\"%s",
                 CASES[i].by, count);
        assert_said(listener, CASES[i].priority, line);
        journal_acknowledged(listener->journal, &of, none, SPAN_ZERO);
        snprintf(line, sizeof line,
                 "maintenance ACKNOWLEDGED server=mx01 kind=routine window=c-1 revision=1%s",
                 count);
        assert_said(listener, CASES[i].priority, line);
        journal_window(listener->journal, &of, WINDOW_BEGINS, none);
        snprintf(line, sizeof line,
                 "maintenance BEGIN server=mx01 kind=routine window=c-1 "
                 "end=2006-07-28T12:48:00Z by=%s reason=\"\"%s",
                 CASES[i].by, count);
        assert_said(listener, LOG_NOTICE, line);
    }
}

static void the_last_acknowledgement_is_said(void **state)
{
    struct listener *listener = *state;
    struct window of = window();
    const struct acknowledgement_count all = {2, 2};
    journal_acknowledged(listener->journal, &of, all, SPAN_MS(40));
    assert_said(listener, LOG_NOTICE,
                "maintenance ACKNOWLEDGED server=mx01 kind=routine window=w-1f3a revision=1 "
                "acknowledged=2/2 after=0.04s");
    journal_acknowledged(listener->journal, &of, all, SPAN_ZERO);
    assert_said(listener, LOG_NOTICE,
                "maintenance ACKNOWLEDGED server=mx01 kind=routine window=w-1f3a revision=1 "
                "acknowledged=2/2");
}

static void refused_windows_are_said_once_a_minute(void **state)
{
    struct listener *listener = *state;
    int priority;
    journal_window_refused(listener->journal, "mx03", "it is for mx07\n, no server of ours");
    journal_window_refused(listener->journal, "mx03", "it is for mx08, no server of ours");
    assert_said(listener, LOG_WARNING,
                "window REFUSED peer=mx03 reason=\"it is for mx07\\n, no server of ours\" more=0");
    assert_string_equal(heard(listener, &priority), "");
}

static void a_loop_is_said(void **state)
{
    struct listener *listener = *state;
    struct probe_id id = {{0}};
    journal_loop(listener->journal, "mx01->mx02", "local", &id);
    assert_said(listener, LOG_WARNING,
                "loop FOUND path=mx01->mx02 mailbox=local probe=AAAAAAAAAAAAAAAAAAAAAAAAAA "
                "reason=\"our own probe came back: something forwards or echoes it\"");
}

static void a_step_of_our_clock_is_said(void **state)
{
    struct listener *listener = *state;
    journal_clock_stepped(listener->journal, "mx01", SPAN_SECONDS(-3600));
    assert_said(listener, LOG_WARNING,
                "clock STEPPED server=mx01 step=-3600s consequence=\"latencies across it carry it "
                "as their error; windows that have begun last until both readings of their end "
                "have passed\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_drain_is_done),
        TEST(a_cohort_is_one_line),
        TEST(a_window_begins_with_who_knows),
        TEST(a_changed_window_says_how),
        TEST(what_rules_announce_is_said_quietly),
        TEST(the_last_acknowledgement_is_said),
        TEST(refused_windows_are_said_once_a_minute),
        TEST(a_loop_is_said),
        TEST(a_step_of_our_clock_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
