// The ledger after a restart: what the core is given back, the incidents, and what retention
// leaves.
#include "store_fixture.h"

enum { SEEN_MAXIMUM = 64 };

struct seen {
    struct probe_record probes[SEEN_MAXIMUM];
    size_t probe_count;
    struct incident incidents[SEEN_MAXIMUM];
    size_t incident_count;
    struct {
        int64_t number;
        int64_t incident;
        enum notice notice;
    } notices[SEEN_MAXIMUM];
    size_t notice_count;
    struct window windows[SEEN_MAXIMUM];
    size_t window_count;
    struct {
        char window[WINDOW_ID_SIZE];
        uint32_t revision;
        char peer[SERVER_NAME_SIZE];
    } acknowledged[SEEN_MAXIMUM];
    size_t acknowledged_count;
    struct {
        char peer[SERVER_NAME_SIZE];
        int64_t reserved;
    } slots[SEEN_MAXIMUM];
    size_t slots_count;
    struct walltime alive, started;
};

static void see_probe(void *context, const struct probe_record *record)
{
    struct seen *seen = context;
    assert_true(seen->probe_count < SEEN_MAXIMUM);
    seen->probes[seen->probe_count++] = *record;
}

static void see_incident(void *context, const struct incident *incident)
{
    struct seen *seen = context;
    seen->incidents[seen->incident_count++] = *incident;
}

static void see_notice(void *context, int64_t number, const struct incident *incident,
                       enum notice notice)
{
    struct seen *seen = context;
    seen->notices[seen->notice_count].number = number;
    seen->notices[seen->notice_count].incident = incident->id;
    seen->notices[seen->notice_count++].notice = notice;
}

static void see_window(void *context, const struct window *window)
{
    struct seen *seen = context;
    seen->windows[seen->window_count++] = *window;
}

static void see_acknowledged(void *context, const char *window, uint32_t revision, const char *peer)
{
    struct seen *seen = context;
    assert_int_equal(seen->incident_count, 0); // windows and what belongs to them come first
    strcpy(seen->acknowledged[seen->acknowledged_count].window, window);
    strcpy(seen->acknowledged[seen->acknowledged_count].peer, peer);
    seen->acknowledged[seen->acknowledged_count++].revision = revision;
}

static void see_slots(void *context, const char *peer, int64_t reserved)
{
    struct seen *seen = context;
    strcpy(seen->slots[seen->slots_count].peer, peer);
    seen->slots[seen->slots_count++].reserved = reserved;
}

static struct seen *restore(struct store *store, unsigned newest, struct walltime windows_since)
{
    static struct seen seen;
    struct error error = {0};
    seen = (struct seen){0};
    struct store_restore visitors = {
        .windows_since = windows_since,
        .incidents_since = WALL(4),
        .newest = newest,
        .context = &seen,
        .probe = see_probe,
        .incident = see_incident,
        .notice = see_notice,
        .window = see_window,
        .acknowledged = see_acknowledged,
        .slots = see_slots,
    };
    bool done = store_restore(store, &visitors, &seen.alive, &seen.started, &error);
    assert_string_equal(error.message, "");
    assert_true(done);
    return &seen;
}

static void a_new_ledger_restores_nothing(void **state)
{
    struct store *store = fixture_open(*state);
    struct seen *seen = restore(store, 64, WALLTIME_NONE);
    assert_int_equal(seen->probe_count + seen->incident_count + seen->window_count, 0);
    assert_int_equal(seen->slots_count, 0);
    assert_false(walltime_known(seen->alive));
    assert_false(walltime_known(seen->started));
    assert_int_equal(store_last_incident(store), 0);
    struct store_figures figures = store_figures(store);
    assert_int_equal(figures.entries, 0);
    assert_int_equal(figures.commit_failures, 0);
    assert_true(figures.bytes > 0);
    store_close(store);
}

static void restores_open_probes_and_the_newest_arrived(void **state)
{
    struct store *store = fixture_open(*state);
    for (unsigned i = 0; i < 10; i++) {
        struct probe_record record = fixture_inbound(i, "mx01", i * 60);
        store_put_probe(store, &record);
        record = fixture_outbound(100 + i, "mx01", i * 60);
        record.state = i < 7 ? PROBE_ARRIVED : i == 7 ? PROBE_REFUSED : PROBE_ACCEPTED;
        record.verdict = i < 7 ? VERDICT_ON_TIME : VERDICT_OPEN;
        record.arrived = i < 7 ? WALL(i * 60 + 1) : WALLTIME_NONE;
        store_put_probe(store, &record);
    }
    struct probe_record old = fixture_outbound(200, "mx01", -86400);
    old.state = PROBE_UNCERTAIN;
    store_put_probe(store, &old);
    struct probe_record lost = fixture_outbound(201, "mx01", 600);
    lost.state = PROBE_LOST;
    lost.verdict = VERDICT_LOST;
    store_put_probe(store, &lost);
    struct probe_record other = fixture_inbound(300, "mx00", 0);
    store_put_probe(store, &other);
    fixture_commit(store);
    store_close(store);

    store = fixture_open(*state);
    struct seen *seen = restore(store, 3, WALLTIME_NONE);
    static const unsigned want[] = {300, 104, 105, 106, 200, 108, 109, 7, 8, 9};
    assert_int_equal(seen->probe_count, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < seen->probe_count; i++) {
        struct probe_id id = fixture_id(want[i]);
        assert_memory_equal(seen->probes[i].id.bytes, id.bytes, sizeof id.bytes);
    }
    struct probe_record inbound = fixture_inbound(9, "mx01", 540);
    fixture_assert_equal(&seen->probes[9], &inbound);
    store_close(store);
}

// After a flush more have come than the newest, and their senders may not know of any.
static void restores_what_came_within_the_last_hour(void **state)
{
    struct store *store = fixture_open(*state);
    for (unsigned i = 0; i < 10; i++) {
        struct probe_record record = fixture_inbound(i, "mx01", i * 900);
        store_put_probe(store, &record);
        record = fixture_outbound(100 + i, "mx01", i * 900);
        record.state = PROBE_ARRIVED;
        record.verdict = VERDICT_ON_TIME;
        record.arrived = WALL(i * 900 + 1);
        store_put_probe(store, &record);
    }
    store_put_alive(store, WALL(8400));
    fixture_commit(store);
    struct seen *seen = restore(store, 2, WALLTIME_NONE);
    static const unsigned want[] = {108, 109, 6, 7, 8, 9};
    assert_int_equal(seen->probe_count, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < seen->probe_count; i++) {
        struct probe_id id = fixture_id(want[i]);
        assert_memory_equal(seen->probes[i].id.bytes, id.bytes, sizeof id.bytes);
    }
    store_close(store);
}

static void slots_only_grow(void **state)
{
    struct store *store = fixture_open(*state);
    store_put_slots(store, "mx01", 200);
    store_put_slots(store, "mx03", INT64_MAX);
    store_put_slots(store, "mx01", 300);
    store_put_slots(store, "mx01", 250);
    fixture_commit(store);
    store_close(store);
    store = fixture_open(*state);
    struct seen *seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->slots_count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool first = strcmp(seen->slots[i].peer, "mx01") == 0;
        assert_true(seen->slots[i].reserved == (first ? 300 : INT64_MAX));
    }
    store_close(store);
}

static struct window full_window(void)
{
    return (struct window){
        .id = "w-1f3a",
        .revision = UINT32_MAX,
        .server = "mx01",
        .kind = WINDOW_EMERGENCY,
        .cancelled = true,
        .begin = WALL(0),
        .end = WALL(900),
        .by = "root@mx02",
        .origin = ORIGIN_PEER,
        .reason = "kernel 'update'",
        .held_from = WALL(1),
        .held_until = WALL(4500),
    };
}

static void assert_windows_equal(const struct window *got, const struct window *want)
{
    assert_string_equal(got->id, want->id);
    assert_true(got->revision == want->revision);
    assert_string_equal(got->server, want->server);
    assert_int_equal(got->kind, want->kind);
    assert_int_equal(got->cancelled, want->cancelled);
    assert_true(got->begin.ns == want->begin.ns && got->end.ns == want->end.ns);
    assert_string_equal(got->by, want->by);
    assert_string_equal(got->reason, want->reason);
    assert_int_equal(got->origin, want->origin);
    assert_true(got->held_from.ns == want->held_from.ns);
    assert_true(got->held_until.ns == want->held_until.ns);
}

static void windows_survive(void **state)
{
    struct store *store = fixture_open(*state);
    struct window window = full_window(), old = window, next = window;
    strcpy(old.id, "w-old");
    old.end = WALL(10);
    strcpy(next.id, "w-next");
    next.begin = WALL(5000);
    next.end = WALL(0); // cancelled before it began
    store_put_window(store, &old);
    store_put_window(store, &next);
    window.revision = 1;
    store_put_window(store, &window);
    window = full_window();
    store_put_window(store, &window);
    fixture_commit(store);
    store_close(store);

    store = fixture_open(*state);
    struct seen *seen = restore(store, 1, WALL(10));
    assert_int_equal(seen->window_count, 2);
    assert_windows_equal(&seen->windows[0], &window);
    assert_windows_equal(&seen->windows[1], &next);
    assert_int_equal(restore(store, 1, WALL(9))->window_count, 3);
    store_close(store);
}

static void assert_acknowledged(const struct seen *seen, size_t index, const char *window,
                                uint32_t revision, const char *peer)
{
    assert_string_equal(seen->acknowledged[index].window, window);
    assert_true(seen->acknowledged[index].revision == revision);
    assert_string_equal(seen->acknowledged[index].peer, peer);
}

static void acknowledgements_survive_and_only_grow(void **state)
{
    struct store *store = fixture_open(*state);
    store_put_acknowledged(store, "w-1f3a", 2, "mx01");
    store_put_acknowledged(store, "w-1f3a", 1, "mx01");
    store_put_acknowledged(store, "w-1f3a", 1, "mx03");
    store_put_acknowledged(store, "w-next", UINT32_MAX, "mx01");
    fixture_commit(store);
    store_close(store);

    store = fixture_open(*state);
    struct seen *seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->acknowledged_count, 3);
    assert_acknowledged(seen, 0, "w-1f3a", 2, "mx01");
    assert_acknowledged(seen, 1, "w-1f3a", 1, "mx03");
    assert_acknowledged(seen, 2, "w-next", UINT32_MAX, "mx01");
    store_close(store);
}

static void acknowledgements_go_with_their_window(void **state)
{
    struct store *store = fixture_open(*state);
    struct window old = full_window(), kept = full_window();
    strcpy(kept.id, "w-kept");
    kept.end = WALL(5000);
    store_put_window(store, &old);
    store_put_window(store, &kept);
    store_put_acknowledged(store, old.id, 1, "mx01");
    store_put_acknowledged(store, kept.id, 1, "mx01");
    store_retain(store, WALL(2000), 10);
    fixture_commit(store);
    struct seen *seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->window_count, 1);
    assert_int_equal(seen->acknowledged_count, 1);
    assert_acknowledged(seen, 0, "w-kept", 1, "mx01");
    store_close(store);
}

static struct incident full_incident(int64_t id)
{
    return (struct incident){
        .id = id,
        .kind = INCIDENT_SLOW,
        .severity = SEVERITY_CRITICAL,
        .subject_text = "mx02->mx01",
        .began = WALL(1),
        .opened = WALL(2),
        .notified = true,
        .notified_at = WALL(3),
        .suppressed_by = "w-1f3a",
        .cause = 12,
        .flapping = true,
        .aftermath = {.window = "w-1f3a",
                      .window_kind = WINDOW_EMERGENCY,
                      .planned_end = WALL(900),
                      .resumed = {WALL(901), WALL(902)},
                      .resumed_by = "mx02->mx01",
                      .drained = UINT32_MAX,
                      .lost = 2,
                      .in_flight = 3,
                      .suppressed = 4,
                      .longest = {5}},
        .evidence = {.latency = {1},
                     .threshold = {2},
                     .late = 3,
                     .of = 4,
                     .oldest_age = {5},
                     .in_flight = 6,
                     .failures = 7,
                     .has_probe = true,
                     .probe = fixture_id(9),
                     .hop = {"mx03", "mx02", {12}},
                     .route = "mx02 mx03 mx01",
                     .usual_route = "mx02 mx01",
                     .method = AUTH_DKIM,
                     .result = AUTH_FAIL,
                     .statuses = {"5.2.2", "5.1.1"},
                     .cause = "450 4.2.0 \"try\" later"},
        .cells = {.culprit = CULPRIT_SENDER, .seen_by = 6, .of = 7, .paths = "mx02->mx01 bad"},
    };
}

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

static void remembers_when_it_lived(void **state)
{
    struct store *store = fixture_open(*state);
    store_put_started(store, WALL(5));
    store_put_alive(store, WALL(7));
    fixture_commit(store);
    store_close(store);
    store = fixture_open(*state);
    struct seen *seen = restore(store, 1, WALLTIME_NONE);
    assert_true(seen->started.ns == WALL(5).ns && seen->alive.ns == WALL(7).ns);
    store_put_started(store, WALL(9));
    seen = restore(store, 1, WALLTIME_NONE);
    assert_true(seen->started.ns == WALL(9).ns && seen->alive.ns == WALL(9).ns);
    fixture_commit(store);
    store_close(store);
}

// ---- migration ----

// As the first release left it: ledger_schema_1.db.
static void a_ledger_of_schema_1_is_migrated(void **state)
{
    char command[FILE_SIZE * 2];
    snprintf(command, sizeof command, "cp %s/test/unit/ledger_schema_1.db %s/ledger.db",
             SOURCE_ROOT, (const char *)*state);
    assert_int_equal(system(command), 0);
    for (int start = 0; start < 2; start++) {
        struct store *store = fixture_open(*state);
        struct seen *seen = restore(store, 8, WALLTIME_NONE);
        struct probe_record inbound = fixture_inbound(1, "mx02", 60);
        assert_int_equal(seen->probe_count, 2);
        fixture_assert_equal(&seen->probes[1], &inbound);
        struct store_probe seen_by_us;
        assert_true(store_get_probe(store, &inbound.id, &seen_by_us));
        assert_int_equal(seen_by_us.asked.ns, start == 0 ? 0 : WALL(70).ns);
        assert_int_equal(seen->incident_count, 1);
        const struct incident *incident = &seen->incidents[0];
        assert_true(incident->id == 7 && incident->cause == 0 && !incident->flapping);
        assert_int_equal(incident->aftermath.drained, 4);
        assert_true(incident->evidence.oldest_age.ns == SPAN_SECONDS(181).ns);
        assert_int_equal(seen->window_count, 1);
        assert_string_equal(seen->windows[0].reason, "kernel update");
        assert_int_equal(seen->windows[0].origin, ORIGIN_OPERATOR);
        assert_false(walltime_known(seen->windows[0].held_until));
        assert_int_equal(seen->acknowledged_count, start);
        assert_true(seen->alive.ns == WALL(100).ns && seen->slots[0].reserved == 200);
        store_put_acknowledged(store, seen->windows[0].id, 2, "mx03");
        const struct collect_report again = {.asked.wall = WALL(70)};
        store_put_message(store, &inbound.id, &again);
        fixture_commit(store);
        store_close(store);
    }
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_new_ledger_restores_nothing),
        TEST(restores_open_probes_and_the_newest_arrived),
        TEST(restores_what_came_within_the_last_hour),
        TEST(slots_only_grow),
        TEST(windows_survive),
        TEST(acknowledgements_survive_and_only_grow),
        TEST(acknowledgements_go_with_their_window),
        TEST(open_and_recent_incidents_survive),
        TEST(lists_incidents_newest_first),
        TEST(notices_are_owed_until_they_are_forgotten),
        TEST(the_newest_notices_are_kept),
        TEST(incident_ids_are_never_reused),
        TEST(remembers_when_it_lived),
        TEST(a_ledger_of_schema_1_is_migrated),
        TEST(retention_takes_what_is_old_and_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
