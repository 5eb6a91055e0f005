// What the configuration does not ask for any more is not held open: verdicts and folders.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "core_fixture.h"

static const char *const FOLDERS[] = {"INBOX", "Junk"};
static const struct mailbox_settings ASKED = {
    .name = "local", .authserv_id = "here", .folders = FOLDERS, .folder_count = 2};

static void count_unset(void *context, const struct action *action)
{
    bool resolved = action->kind == ACTION_NOTIFY && action->notice == NOTICE_RESOLVED;
    *(unsigned *)context += resolved && action->incident.end == END_UNSET;
}

static void arrive(struct core_fixture *fixture, unsigned number, enum auth_result dkim)
{
    struct collect_report report = core_fixture_report(fixture, "p0", number, SPAN_SECONDS(1));
    text_copy(report.folder, sizeof report.folder, dkim == AUTH_PASS ? "INBOX" : "Junk");
    text_copy(report.trace.authentication.authserv_id,
              sizeof report.trace.authentication.authserv_id, "here");
    report.trace.authentication.results[AUTH_DKIM] = dkim;
    core_fixture_arrive(fixture, &report, ARRIVAL_NEW);
}

static void test_what_nobody_asks_for_is_over(void **state)
{
    (void)state;
    struct core_fixture fixture;
    unsigned unset = 0;
    core_fixture_begin(&fixture, 1);
    struct settings asked = *fixture.settings;
    asked.mailboxes = &ASKED;
    core_configure(fixture.core, &asked, fixture.now);
    for (unsigned i = 1; i <= 6; i++) {
        arrive(&fixture, i, i == 1 ? AUTH_PASS : AUTH_FAIL);
        core_fixture_run(&fixture, SPAN_SECONDS(60), count_unset, &unset);
    }
    core_configure(fixture.core, &asked, fixture.now);
    core_fixture_run(&fixture, SPAN_SECONDS(1), count_unset, &unset);
    assert_int_equal(unset, 0);
    core_configure(fixture.core, fixture.settings, fixture.now);
    core_fixture_run(&fixture, SPAN_SECONDS(1), count_unset, &unset);
    assert_int_equal(unset, 2);
    struct habits habits;
    assert_true(core_habits(fixture.core, 0, INBOUND, &habits));
    assert_int_equal(habits.auth.failing, 0);
    assert_int_equal(habits.placement.count, 0);
    core_fixture_end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_nobody_asks_for_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
