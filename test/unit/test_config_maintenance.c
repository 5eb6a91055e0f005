// The keys under `maintenance`: what is read of them, and what every mistake is told.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LONG_AGO     "start: 2026-01-04T02:00"
#define WINDOW(more) LEAST "maintenance:\n  windows:\n    - {" more "}\n"
#define MX01(more)   WINDOW("server: mx01, " LONG_AGO ", " more)

static void windows_are_read(void **state)
{
    (void)state;
    struct settings *settings = config_fixture_accept(
        LEAST "maintenance:\n"
              "  calendars: [/etc/group, /etc/passwd]\n" // which are there
              "  flags_dir: /var/lib\n"
              "  windows:\n"
              "    - {server: mx01, rrule: \"FREQ=WEEKLY;BYDAY=SU;BYHOUR=2\", " LONG_AGO
              ", for: 15m, zone: Europe/Stockholm}\n"
              "    - {server: mx02, " LONG_AGO ", for: 2d, kind: emergency, reason: move}\n"
              "    - {server: mx02, " LONG_AGO ", for: 1h}\n");
    const struct maintenance_settings *maintenance = &settings->maintenance;
    assert_int_equal(maintenance->calendar_count, 2);
    assert_string_equal(maintenance->calendars[1], "/etc/passwd");
    assert_string_equal(maintenance->flags_dir, "/var/lib");
    assert_int_equal(maintenance->window_count, 3); // that they overlap is nobody's business
    assert_string_equal(maintenance->windows[0].server, "mx01");
    assert_string_equal(maintenance->windows[0].rrule, "FREQ=WEEKLY;BYDAY=SU;BYHOUR=2");
    assert_string_equal(maintenance->windows[0].zone, "Europe/Stockholm");
    assert_int_equal(maintenance->windows[0].length.ns, SPAN_MINUTES(15).ns);
    assert_string_equal(maintenance->windows[0].kind, "routine");
    assert_string_equal(maintenance->windows[1].kind, "emergency");
    assert_string_equal(maintenance->windows[1].reason, "move");
    assert_string_equal(maintenance->windows[1].zone, "");
    settings_destroy(settings);
}

static void without_them_there_is_nothing(void **state)
{
    (void)state;
    struct settings *settings = config_fixture_accept(LEAST);
    assert_int_equal(settings->maintenance.calendar_count, 0);
    assert_int_equal(settings->maintenance.window_count, 0);
    assert_string_equal(settings->maintenance.flags_dir, "");
    settings_destroy(settings);
}

static void an_alertmanager_is_read(void **state)
{
    (void)state;
    struct settings *settings = config_fixture_accept(
        LEAST "maintenance: {alertmanager: {url: \"http://am.example:9093/prefix\"}}\n");
    const struct alertmanager_settings *alertmanager = &settings->maintenance.alertmanager;
    assert_string_equal(alertmanager->url, "http://am.example:9093/prefix");
    assert_string_equal(alertmanager->matcher, "mailflow_server");
    assert_int_equal(alertmanager->interval.ns, SPAN_SECONDS(15).ns);
    settings_destroy(settings);
    settings = config_fixture_accept(
        LEAST "maintenance: {alertmanager: {urls: [\"http://a:1\", \"https://b:2\"], "
              "matcher: host, ca_file: /etc/passwd}}\n");
    alertmanager = &settings->maintenance.alertmanager;
    assert_string_equal(alertmanager->url, "");
    assert_int_equal(alertmanager->url_count, 2);
    assert_string_equal(alertmanager->urls[1], "https://b:2");
    assert_string_equal(alertmanager->matcher, "host");
    settings_destroy(settings);
}

static void windows_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *problems;
    } CASES[] = {
        {WINDOW("server: mx1, " LONG_AGO ", for: 15m"),
         "7:16: server: 'mx1' is not in the mesh: it is neither this server nor a peer (did you "
         "mean 'mx01'?)\n"},
        {WINDOW("server: backup, " LONG_AGO ", for: 15m"),
         "7:16: server: 'backup' is not in the mesh: it is neither this server nor a peer\n"},
        {WINDOW("server: mx01, for: 15m"), "7:7: required key 'start' is missing\n"},
        {WINDOW("server: mx01, start: 2026-02-30T02:00, for: 15m"),
         "7:29: start: '2026-02-30T02:00' is not a local time like 2026-01-04T02:00\n"},
        {WINDOW("server: mx01, start: 2026-01-04T02:00Z, for: 15m"),
         "7:29: start: '2026-01-04T02:00Z' is not a local time like 2026-01-04T02:00\n"},
        {MX01("zone: UTC"), "7:7: required key 'for' is missing\n"},
        {MX01("for: 0s"), "7:52: for: 0s is out of range: 1s to 366d\n"},
        {MX01("for: -15m"),
         "7:52: for: '-15m' is not a duration: write 250ms, 15s, 30m, 4h or 5d\n"},
        {MX01("for: 400d"), "7:52: for: 400d is out of range: 1s to 366d\n"},
        {MX01("for: 15m, zone: Europe/Stokholm"),
         "7:63: zone: 'Europe/Stokholm' is not a time zone that this machine knows: write "
         "Europe/Stockholm or UTC\n"},
        {MX01("for: 15m, rrule: FREQ=SECONDLY"),
         "7:64: rrule: FREQ=SECONDLY: maintenance that recurs every second is none: FREQ is "
         "HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY\n"},
        {MX01("for: 15m, rrule: weekly"), "7:64: rrule: 'WEEKLY' is not NAME=VALUE\n"},
        {MX01("for: 15m, rrule: FREQ=DAILY;UNTIL=20260103"),
         "7:64: rrule: UNTIL is before start: this window never comes\n"},
        {MX01("for: 15m, kind: planned"),
         "7:63: kind: 'planned' is neither routine nor emergency\n"},
        {MX01("for: 15m, kind: emergency"), "7:63: kind: an emergency needs a reason\n"},
        {MX01("for: 15m, until: 2026"), "7:57: unknown key 'until'\n"},
        {LEAST "maintenance: {calendars: [a.ics]}\n",
         "5:27: calendars: 'a.ics' is not an absolute path\n"},
        {LEAST "maintenance: {calendars: [/etc/passwd, /etc/passwd]}\n",
         "5:40: calendars: /etc/passwd is there twice\n"},
        {LEAST "maintenance: {alertmanager: {matcher: x}}\n",
         "5:29: alertmanager: needs url, or urls for the members of a cluster\n"},
        {LEAST "maintenance: {alertmanager: {url: \"http://a:1\", urls: [\"http://b:1\"]}}\n",
         "5:55: urls: give url, or urls for the members of a cluster, not both\n"},
        {LEAST "maintenance: {alertmanager: {url: am.example}}\n",
         "5:35: url: 'am.example' is not https://host:port or http://host:port\n"},
        {LEAST "maintenance: {alertmanager: {url: \"http://a:1\", matcher: mail-server}}\n",
         "5:58: matcher: 'mail-server' is not the name of a label: letters, digits and _, no digit "
         "first\n"},
        {LEAST "maintenance: {alertmanager: {url: \"http://a:1\", interval: 10ms}}\n",
         "5:59: interval: 10ms is out of range: 1s to 1h\n"},
        {LEAST "maintenance: {flags_dir: flags}\n",
         "5:26: flags_dir: 'flags' is not an absolute path\n"},
        {LEAST "maintenance: {flags_dir: /etc/passwd}\n",
         "5:26: flags_dir: /etc/passwd is not a directory\n"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        config_fixture_refuse(CASES[i].yaml, CASES[i].problems);
    }
}

// The warnings come with an error here, for a configuration that is accepted says nothing.
static void what_is_unwise_is_warned_of(void **state)
{
    (void)state;
    config_fixture_refuse(
        MX01("for: 5h, reasons: x"),
        "7:52: warning: for: is long for routine maintenance (more than 4h): every alert of the "
        "server is held back for all of it\n"
        "7:56: unknown key 'reasons' (did you mean 'reason'?)\n");
    config_fixture_refuse(LEAST "maintenance: {flags_dir: /run/lock, x: 1}\n",
                          "5:26: warning: flags_dir: /run/lock is emptied by a reboot, and a flag "
                          "must outlive the one that it announces\n"
                          "5:37: unknown key 'x'\n");
}

// They may come later, and the agent starts without them; but a slip of the pen is seen.
static void what_is_missing_is_warned_of(void **state)
{
    (void)state;
    config_fixture_refuse(LEAST "maintenance: {calendars: [/etc/passwd, /no/such.ics], x: 1}\n",
                          "5:40: warning: calendars: /no/such.ics: No such file or directory: no "
                          "window comes of it until it can be read\n"
                          "5:55: unknown key 'x'\n");
    config_fixture_refuse(LEAST "maintenance: {flags_dir: /no/such, x: 1}\n",
                          "5:26: warning: flags_dir: /no/such: No such file or directory: no flag "
                          "announces anything until it is there\n"
                          "5:36: unknown key 'x'\n");
}

#define IN_FIXTURE(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, config_fixture_enter, config_fixture_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(windows_are_read),
        IN_FIXTURE(without_them_there_is_nothing),
        IN_FIXTURE(an_alertmanager_is_read),
        IN_FIXTURE(windows_that_make_no_sense_are_refused),
        IN_FIXTURE(what_is_unwise_is_warned_of),
        IN_FIXTURE(what_is_missing_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
