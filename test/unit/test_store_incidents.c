// Incidents and notices in the ledger, after a restart and in lists, and what retention leaves.
#include "store_restored.h"

static void assert_aftermaths_equal(const struct aftermath *got, const struct aftermath *want)
{
    assert_string_equal(got->window, want->window);
    assert_int_equal(got->window_kind, want->window_kind);
    assert_true(got->planned_end.ns == want->planned_end.ns);
    assert_true(got->resumed[OUTBOUND].ns == want->resumed[OUTBOUND].ns);
    assert_true(got->resumed[INBOUND].ns == want->resumed[INBOUND].ns);
    assert_string_equal(got->resumed_by, want->resumed_by);
    assert_true(got->drained == want->drained && got->lost == want->lost);
    assert_true(got->in_flight == want->in_flight && got->suppressed == want->suppressed);
    assert_true(got->longest.ns == want->longest.ns);
}

static void assert_incidents_equal(const struct incident *got, const struct incident *want)
{
    assert_true(got->id == want->id && got->kind == want->kind && got->severity == want->severity);
    assert_string_equal(got->subject_text, want->subject_text);
    assert_int_equal(got->subject.peer, -1);
    assert_int_equal(got->subject.mailbox, -1);
    assert_int_equal(got->cells.culprit, want->cells.culprit);
    assert_true(got->cells.seen_by == want->cells.seen_by && got->cells.of == want->cells.of);
    assert_string_equal(got->cells.paths, want->cells.paths);
    assert_true(got->began.ns == want->began.ns && got->opened.ns == want->opened.ns);
    assert_true(got->closed.ns == want->closed.ns && got->notified == want->notified);
    assert_true(got->notified_at.ns == want->notified_at.ns);
    assert_string_equal(got->suppressed_by, want->suppressed_by);
    assert_true(got->cause == want->cause && got->flapping == want->flapping);
    assert_string_equal(got->ended, want->ended);
    assert_aftermaths_equal(&got->aftermath, &want->aftermath);
    const struct evidence *a = &got->evidence, *b = &want->evidence;
    assert_true(a->latency.ns == b->latency.ns && a->threshold.ns == b->threshold.ns);
    assert_true(a->late == b->late && a->of == b->of && a->oldest_age.ns == b->oldest_age.ns);
    assert_true(a->in_flight == b->in_flight && a->failures == b->failures);
    assert_true(a->has_probe == b->has_probe);
    assert_memory_equal(a->probe.bytes, b->probe.bytes, sizeof b->probe.bytes);
    assert_string_equal(a->hop.to, b->hop.to);
    assert_string_equal(a->hop.from, b->hop.from);
    assert_true(a->hop.delay.ns == b->hop.delay.ns);
    assert_string_equal(a->route, b->route);
    assert_string_equal(a->usual_route, b->usual_route);
    assert_true(a->method == b->method && a->result == b->result);
    assert_memory_equal(a->statuses, b->statuses, sizeof b->statuses);
    assert_string_equal(a->cause, b->cause);
}

static void open_and_recent_incidents_survive(void **state)
{
    struct store *store = fixture_open(*state);
    struct incident slow = full_incident(17), closed = full_incident(18), old = full_incident(15);
    struct incident overrun = {
        .id = 14, .kind = INCIDENT_OVERRUN, .subject_text = "mx01", .opened = WALL(4)};
    store_put_incident(store, &overrun);
    struct incident blind = {
        .id = 16, .kind = INCIDENT_BLIND, .subject_text = "local", .opened = WALL(4)};
    store_put_incident(store, &slow);
    store_put_incident(store, &closed);
    closed.closed = WALL(5);
    store_put_incident(store, &closed);
    store_put_incident(store, &blind);
    old.closed = WALL(3);
    store_put_incident(store, &old);
    fixture_commit(store);
    store_close(store);

    store = fixture_open(*state);
    struct seen *seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->incident_count, 4);
    assert_incidents_equal(&seen->incidents[0], &overrun);
    assert_int_equal(seen->incidents[0].subject.kind, SUBJECT_SERVER);
    assert_incidents_equal(&seen->incidents[1], &blind);
    assert_int_equal(seen->incidents[1].subject.kind, SUBJECT_MAILBOX);
    assert_incidents_equal(&seen->incidents[2], &slow);
    assert_int_equal(seen->incidents[2].subject.kind, SUBJECT_PATH);
    assert_incidents_equal(&seen->incidents[3], &closed);
    assert_int_equal(store_last_incident(store), 18);
    assert_int_equal(store_count_suppressed(store, "w-1f3a"), 3);
    assert_int_equal(store_count_suppressed(store, ""), 0);
    store_close(store);
}

static bool see_listed_incident(void *context, const struct incident *incident)
{
    see_incident(context, incident);
    return ((struct seen *)context)->incident_count < 3;
}

static void lists_incidents_newest_first(void **state)
{
    struct store *store = fixture_open(*state);
    for (int64_t id = 1; id <= 5; id++) {
        struct incident incident = full_incident(id);
        incident.closed = id == 2 ? WALLTIME_NONE : WALL(id * 100);
        store_put_incident(store, &incident);
    }
    struct seen seen = {0};
    struct error error;
    assert_true(store_query_incidents(store, WALL(400), 10, see_listed_incident, &seen, &error));
    assert_int_equal(seen.incident_count, 3); // 5, 4, and 2 that is still open
    assert_int_equal(seen.incidents[0].id, 5);
    assert_int_equal(seen.incidents[1].id, 4);
    assert_int_equal(seen.incidents[2].id, 2);
    seen = (struct seen){0};
    assert_true(store_query_incidents(store, WALLTIME_NONE, 2, see_listed_incident, &seen, &error));
    assert_int_equal(seen.incident_count, 2);
    seen = (struct seen){0};
    assert_true(
        store_query_incidents(store, WALLTIME_NONE, 10, see_listed_incident, &seen, &error));
    assert_int_equal(seen.incident_count, 3); // the caller had enough
    fixture_commit(store);
    store_close(store);
}

static void owe_three_notices(const char *directory)
{
    struct store *store = fixture_open(directory);
    struct incident open = full_incident(1), long_closed = full_incident(2);
    long_closed.closed = WALL(3);
    store_put_incident(store, &open);
    store_put_incident(store, &long_closed);
    store_put_notice(store, 4, 2, NOTICE_FIRING);
    store_put_notice(store, 5, 1, NOTICE_SUPPRESSED);
    store_put_notice(store, 6, 2, NOTICE_RESOLVED);
    store_put_notice(store, 7, 3, NOTICE_FIRING); // of an incident that is gone
    fixture_commit(store);
}

static void notices_are_owed_until_they_are_forgotten(void **state)
{
    fixture_in_killed_process(owe_three_notices, *state);
    struct store *store = fixture_open(*state);
    struct seen *seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->incident_count, 1); // the other is of no use to the core any more
    assert_int_equal(seen->notice_count, 3);
    assert_true(seen->notices[0].incident == 2 && seen->notices[0].notice == NOTICE_FIRING);
    assert_true(seen->notices[1].incident == 1 && seen->notices[1].notice == NOTICE_SUPPRESSED);
    assert_true(seen->notices[2].incident == 2 && seen->notices[2].notice == NOTICE_RESOLVED);
    store_forget_notice(store, 4);
    fixture_commit(store);
    seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->notice_count, 2);
    assert_int_equal(seen->notices[0].number, 5);
    store_close(store);
}

static void the_newest_notices_are_kept(void **state)
{
    fixture_in_killed_process(owe_three_notices, *state);
    struct store *store = fixture_open(*state);
    store_keep_notices(store, 3);
    fixture_commit(store);
    struct seen *seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->notice_count, 2); // the newest was of an incident that is gone
    assert_int_equal(seen->notices[0].number, 5);
    store_put_notice(store, 7, 1, NOTICE_RESOLVED);
    store_keep_notices(store, 2);
    fixture_commit(store);
    seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->notice_count, 2);
    assert_true(seen->notices[0].number == 6 && seen->notices[1].number == 7);
    store_close(store);
}

static void incident_ids_are_never_reused(void **state)
{
    struct store *store = fixture_open(*state);
    struct incident incident = full_incident(41);
    incident.closed = WALL(10);
    store_put_incident(store, &incident);
    fixture_commit(store);
    assert_false(store_retain(store, WALL(11), 10));
    fixture_commit(store);
    struct seen seen = {0};
    struct error error;
    assert_true(store_query_incidents(store, WALLTIME_NONE, 9, see_listed_incident, &seen, &error));
    assert_int_equal(seen.incident_count, 0);
    store_close(store);
    store = fixture_open(*state);
    assert_int_equal(store_last_incident(store), 41);
    store_close(store);
}

// ---- retention ----

// Probes sent at 100, 200, ... The second is still in flight.
static void retention_takes_what_is_old_and_resolved(void **state)
{
    struct store *store = fixture_open(*state);
    for (unsigned i = 1; i <= 5; i++) {
        struct probe_record record =
            i == 2 ? fixture_outbound(i, "mx01", i * 100) : fixture_inbound(i, "mx01", i * 100);
        store_put_probe(store, &record);
    }
    struct window over = full_window(), touched = over;
    over.begin = WALL(0);
    over.end = WALL(150);
    strcpy(touched.id, "w-touched");
    touched.end = WALL(250);
    store_put_window(store, &over);
    store_put_window(store, &touched);
    struct incident open = full_incident(1), closed = full_incident(2);
    closed.closed = WALL(301);
    store_put_incident(store, &open);
    store_put_incident(store, &closed);
    fixture_commit(store);

    assert_false(store_retain(store, WALL(102), 10)); // noted at 102: not older than it
    assert_true(store_retain(store, WALL(302), 1));
    assert_false(store_retain(store, WALL(303), 10));
    fixture_commit(store);
    assert_int_equal(store_figures(store).entries, 3);
    for (unsigned i = 1; i <= 5; i++) {
        struct probe_id id = fixture_id(i);
        struct store_probe probe;
        assert_int_equal(store_get_probe(store, &id, &probe), i != 1 && i != 3);
    }
    assert_false(store_retain(store, WALL(1000), 10));
    fixture_commit(store);
    assert_int_equal(store_figures(store).entries, 1);

    struct seen *seen = restore(store, 10, WALLTIME_NONE);
    assert_int_equal(seen->probe_count, 1);
    assert_int_equal(seen->window_count, 1);
    assert_string_equal(seen->windows[0].id, "w-touched");
    assert_int_equal(seen->incident_count, 1);
    struct seen listed = {0};
    struct error error;
    assert_true(
        store_query_incidents(store, WALLTIME_NONE, 9, see_listed_incident, &listed, &error));
    assert_int_equal(listed.incident_count, 1);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_and_recent_incidents_survive),
        TEST(lists_incidents_newest_first),
        TEST(notices_are_owed_until_they_are_forgotten),
        TEST(the_newest_notices_are_kept),
        TEST(incident_ids_are_never_reused),
        TEST(retention_takes_what_is_old_and_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
