// The ledger: what goes in comes out, after a restart too, and in the order in which it is asked
// for.
#include "store_fixture.h"

static void assert_records_equal(const struct probe_record *got, const struct probe_record *want)
{
    assert_memory_equal(got->id.bytes, want->id.bytes, sizeof want->id.bytes);
    assert_string_equal(got->peer, want->peer);
    assert_int_equal(got->direction, want->direction);
    assert_int_equal(got->kind, want->kind);
    assert_int_equal(got->state, want->state);
    assert_int_equal(got->verdict, want->verdict);
    assert_true(got->slot == want->slot);
    assert_true(got->planned.ns == want->planned.ns);
    assert_true(got->sent.ns == want->sent.ns);
    assert_true(got->accepted.ns == want->accepted.ns);
    assert_true(got->arrived.ns == want->arrived.ns);
    assert_true(got->latency.ns == want->latency.ns);
    assert_true(got->latency_error.ns == want->latency_error.ns);
    assert_true(got->excused.ns == want->excused.ns);
    assert_true(got->incident == want->incident);
}

static struct probe_record full_record(void)
{
    return (struct probe_record){
        .id = {{0xFF, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x80, 0xFE}},
        .peer = "mx01",
        .direction = OUTBOUND,
        .kind = PROBE_FRESH,
        .state = PROBE_ARRIVED,
        .verdict = VERDICT_DRAINED,
        .slot = INT64_MAX,
        .planned = {1790000000123456789},
        .sent = {1790000001123456789},
        .accepted = {1790000002123456789},
        .arrived = {1790000003123456789},
        .latency = {-5},
        .latency_error = {6},
        .excused = {7},
        .incident = 8,
    };
}

static struct submit_outcome full_outcome(void)
{
    return (struct submit_outcome){
        .code = 250,
        .reply = "250 2.0.0 Ok: it's \"queued\" \x01 \xFF as 4F2A",
        .cause = "none '; DROP TABLE probes; --",
        .queue_id = "4F2A11C0DE",
        .legs = {{-1}, {0}, {1}, {-7}, {INT64_MAX}},
    };
}

static struct collect_report full_report(struct probe_id id)
{
    struct collect_report report = {
        .mailbox = "local",
        .folder = "INBOX/Junk \xC3\xA5",
        .uid_validity = UINT32_MAX,
        .uid = UINT32_MAX - 1,
        .absent = {.wall = {11}},
        .present = {.wall = {12}},
        .saved = {13},
        .stripped = true,
    };
    report.tag.id = id;
    return report;
}

static void assert_full_probe(struct store *store)
{
    struct probe_record record = full_record();
    struct submit_outcome outcome = full_outcome();
    struct collect_report report = full_report(record.id);
    struct store_probe probe;
    assert_true(store_get_probe(store, &record.id, &probe));
    assert_records_equal(&probe.record, &record);
    assert_int_equal(probe.code, outcome.code);
    assert_string_equal(probe.reply, outcome.reply);
    assert_string_equal(probe.cause, outcome.cause);
    assert_string_equal(probe.queue_id, outcome.queue_id);
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        bool took_place = outcome.legs[i].ns >= 0;
        assert_true(took_place ? probe.legs[i].ns == outcome.legs[i].ns : probe.legs[i].ns < 0);
    }
    assert_string_equal(probe.mailbox, report.mailbox);
    assert_string_equal(probe.folder, report.folder);
    assert_true(probe.uid_validity == report.uid_validity && probe.uid == report.uid);
    assert_true(probe.stripped);
    assert_true(probe.absent.ns == 11 && probe.present.ns == 12 && probe.saved.ns == 13);
}

// In every order, in one turn and after a restart.
static void keeps_every_field_of_a_probe(void **state)
{
    static const char *const orders[] = {"pom", "pmo", "opm", "omp", "mpo", "mop"};
    struct probe_record record = full_record();
    struct submit_outcome outcome = full_outcome();
    struct collect_report report = full_report(record.id);
    for (size_t i = 0; i < 6; i++) {
        struct store *store = fixture_open(*state);
        for (const char *what = orders[i]; *what != '\0'; what++) {
            switch (*what) {
            case 'p':
                store_put_probe(store, &record);
                break;
            case 'o':
                store_put_outcome(store, &record.id, &outcome);
                break;
            case 'm':
                store_put_message(store, &record.id, &report);
                break;
            }
        }
        assert_full_probe(store);
        fixture_commit(store);
        assert_int_equal(store_figures(store).entries, 1);
        store_close(store);
        store = fixture_open(*state);
        assert_full_probe(store);
        assert_int_equal(store_figures(store).entries, 1);
        assert_true(store_retain(store, WALL(86400), 1));
        fixture_commit(store);
        assert_int_equal(store_figures(store).entries, 0);
        store_close(store);
    }
}

static void reads_what_was_never_said_as_nothing(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record record = {.id = fixture_id(1), .peer = "mx01", .planned = WALL(0)};
    struct store_probe probe;
    assert_false(store_get_probe(store, &record.id, &probe));
    store_put_probe(store, &record);
    assert_true(store_get_probe(store, &record.id, &probe));
    assert_records_equal(&probe.record, &record);
    assert_int_equal(probe.code, 0);
    assert_string_equal(probe.reply, "");
    assert_string_equal(probe.cause, "");
    assert_string_equal(probe.queue_id, "");
    assert_string_equal(probe.mailbox, "");
    assert_string_equal(probe.folder, "");
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        assert_true(probe.legs[i].ns < 0);
    }
    fixture_commit(store);
    store_close(store);
}

static void shows_no_evidence_without_its_probe(void **state)
{
    struct store *store = fixture_open(*state);
    struct submit_outcome outcome = full_outcome();
    struct probe_id id = fixture_id(1);
    struct store_probe probe;
    store_put_outcome(store, &id, &outcome);
    assert_false(store_get_probe(store, &id, &probe));
    fixture_commit(store);
    store_close(store);
}

// The core keeps 24 bytes of a probe in flight: what it says of an arrival lacks what it said
// before.
static void an_update_keeps_what_it_does_not_say(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record record = full_record();
    store_put_probe(store, &record);
    struct probe_record later = {
        .id = record.id,
        .peer = "mx01",
        .state = PROBE_LOST,
        .verdict = VERDICT_LOST,
    };
    store_put_probe(store, &later);
    struct probe_record want = record;
    want.state = PROBE_LOST;
    want.verdict = VERDICT_LOST;
    struct store_probe probe;
    assert_true(store_get_probe(store, &record.id, &probe));
    assert_records_equal(&probe.record, &want);
    assert_int_equal(probe.record.kind, PROBE_FRESH);
    fixture_commit(store);
    store_close(store);
}

static void tells_a_message_from_its_duplicate(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record record = fixture_outbound(1, "gmail", 0);
    struct collect_report report = full_report(record.id), other = report;
    assert_int_equal(store_find_arrival(store, &report), STORE_ARRIVAL_NEW);
    store_put_probe(store, &record);
    assert_int_equal(store_find_arrival(store, &report), STORE_ARRIVAL_NEW);

    record.state = PROBE_ARRIVED;
    record.verdict = VERDICT_ON_TIME;
    record.arrived = WALL(1);
    store_put_probe(store, &record);
    store_put_message(store, &record.id, &report);
    assert_int_equal(store_find_arrival(store, &report), STORE_ARRIVAL_SAME);
    other.uid--;
    assert_int_equal(store_find_arrival(store, &other), STORE_ARRIVAL_DUPLICATE);
    other = report;
    other.uid_validity--;
    assert_int_equal(store_find_arrival(store, &other), STORE_ARRIVAL_DUPLICATE);
    other = report;
    strcpy(other.folder, "INBOX");
    assert_int_equal(store_find_arrival(store, &other), STORE_ARRIVAL_DUPLICATE);
    other = report;
    strcpy(other.mailbox, "remote");
    assert_int_equal(store_find_arrival(store, &other), STORE_ARRIVAL_DUPLICATE);

    fixture_commit(store);
    store_close(store);
    store = fixture_open(*state);
    assert_int_equal(store_find_arrival(store, &report), STORE_ARRIVAL_SAME);
    store_close(store);
}

// ---- restore ----

enum { SEEN_MAXIMUM = 64 };

struct seen {
    struct probe_record probes[SEEN_MAXIMUM];
    size_t probe_count;
    struct incident incidents[SEEN_MAXIMUM];
    size_t incident_count;
    struct window windows[SEEN_MAXIMUM];
    size_t window_count;
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

static void see_window(void *context, const struct window *window)
{
    struct seen *seen = context;
    seen->windows[seen->window_count++] = *window;
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
    struct store_restore visitors = {&seen, see_probe, see_incident, see_window, see_slots};
    bool done =
        store_restore(store, &visitors, newest, windows_since, &seen.alive, &seen.started, &error);
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
    static const unsigned want[] = {300, 200, 104, 105, 106, 108, 109, 7, 8, 9};
    assert_int_equal(seen->probe_count, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < seen->probe_count; i++) {
        struct probe_id id = fixture_id(want[i]);
        assert_memory_equal(seen->probes[i].id.bytes, id.bytes, sizeof id.bytes);
    }
    struct probe_record inbound = fixture_inbound(9, "mx01", 540);
    assert_records_equal(&seen->probes[9], &inbound);
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
        .reason = "kernel 'update'",
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
        .drained = UINT32_MAX,
        .evidence = {.latency = {1},
                     .threshold = {2},
                     .late = 3,
                     .of = 4,
                     .oldest_age = {5},
                     .in_flight = 6,
                     .failures = 7,
                     .has_probe = true,
                     .probe = fixture_id(9),
                     .cause = "450 4.2.0 \"try\" later"},
    };
}

static void assert_incidents_equal(const struct incident *got, const struct incident *want)
{
    assert_true(got->id == want->id && got->kind == want->kind && got->severity == want->severity);
    assert_string_equal(got->subject_text, want->subject_text);
    assert_int_equal(got->subject.peer, -1);
    assert_int_equal(got->subject.mailbox, -1);
    assert_true(got->began.ns == want->began.ns && got->opened.ns == want->opened.ns);
    assert_true(got->closed.ns == want->closed.ns && got->notified == want->notified);
    assert_true(got->notified_at.ns == want->notified_at.ns && got->drained == want->drained);
    assert_string_equal(got->suppressed_by, want->suppressed_by);
    const struct evidence *a = &got->evidence, *b = &want->evidence;
    assert_true(a->latency.ns == b->latency.ns && a->threshold.ns == b->threshold.ns);
    assert_true(a->late == b->late && a->of == b->of && a->oldest_age.ns == b->oldest_age.ns);
    assert_true(a->in_flight == b->in_flight && a->failures == b->failures);
    assert_true(a->has_probe == b->has_probe);
    assert_memory_equal(a->probe.bytes, b->probe.bytes, sizeof b->probe.bytes);
    assert_string_equal(a->cause, b->cause);
}

static void open_incidents_survive(void **state)
{
    struct store *store = fixture_open(*state);
    struct incident slow = full_incident(17), closed = full_incident(18);
    struct incident blind = {
        .id = 16, .kind = INCIDENT_BLIND, .subject_text = "local", .opened = WALL(4)};
    store_put_incident(store, &slow);
    store_put_incident(store, &closed);
    closed.closed = WALL(5);
    store_put_incident(store, &closed);
    store_put_incident(store, &blind);
    fixture_commit(store);
    store_close(store);

    store = fixture_open(*state);
    struct seen *seen = restore(store, 1, WALLTIME_NONE);
    assert_int_equal(seen->incident_count, 2);
    assert_incidents_equal(&seen->incidents[0], &blind);
    assert_int_equal(seen->incidents[0].subject.kind, SUBJECT_MAILBOX);
    assert_incidents_equal(&seen->incidents[1], &slow);
    assert_int_equal(seen->incidents[1].subject.kind, SUBJECT_PATH);
    assert_int_equal(store_last_incident(store), 18);
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

// ---- lists of probes ----

struct page {
    unsigned numbers[SEEN_MAXIMUM];
    size_t count;
    size_t stop_after;
    int64_t cursor;
};

static bool see_listed_probe(void *context, const struct store_probe *probe)
{
    struct page *page = context;
    memcpy(&page->numbers[page->count++], probe->record.id.bytes, sizeof page->numbers[0]);
    page->cursor = probe->cursor;
    return page->count != page->stop_after;
}

static struct page list(struct store *store, struct store_query query)
{
    struct page page = {0};
    struct error error = {0};
    bool done = store_query_probes(store, &query, see_listed_probe, &page, &error);
    assert_string_equal(error.message, "");
    assert_true(done);
    return page;
}

static void assert_page(const struct page *page, size_t count, const unsigned *numbers)
{
    assert_int_equal(page->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(page->numbers[i], numbers[i]);
    }
}

#define ASSERT_LIST(query_, ...)                                                                   \
    do {                                                                                           \
        struct page page_ = list(store, query_);                                                   \
        const unsigned numbers_[] = {__VA_ARGS__};                                                 \
        assert_page(&page_, sizeof numbers_ / sizeof numbers_[0], numbers_);                       \
    } while (0)

// 1 and 3: inbound from mx01; 2: outbound to mx01, in flight; 4: inbound from mx03, late, sent
// long before it arrived; 5: outbound to mx03, lost.
static struct store *open_with_five_probes(const char *directory)
{
    struct store *store = fixture_open(directory);
    struct probe_record records[] = {
        fixture_inbound(1, "mx01", 100),  fixture_outbound(2, "mx01", 200),
        fixture_inbound(3, "mx01", 300),  fixture_inbound(4, "mx03", 50),
        fixture_outbound(5, "mx03", 500),
    };
    records[3].arrived = WALL(400);
    records[3].verdict = VERDICT_LATE;
    records[4].state = PROBE_LOST;
    records[4].verdict = VERDICT_LOST;
    for (size_t i = 0; i < 5; i++) {
        store_put_probe(store, &records[i]);
    }
    fixture_commit(store);
    return store;
}

static void lists_by_peer_direction_verdict_and_time(void **state)
{
    struct store *store = open_with_five_probes(*state);
    struct store_query all = {.direction = -1, .verdict = -1, .limit = 10}, query = all;
    ASSERT_LIST(all, 5, 4, 3, 2, 1);
    query.limit = 2;
    ASSERT_LIST(query, 5, 4);
    query = all;
    query.direction = OUTBOUND;
    ASSERT_LIST(query, 5, 2);
    query.peer = "mx03";
    ASSERT_LIST(query, 5);
    query.direction = -1;
    ASSERT_LIST(query, 5, 4);
    query.peer = "mx01";
    query.verdict = VERDICT_ON_TIME;
    ASSERT_LIST(query, 3, 1);
    query.peer = NULL;
    ASSERT_LIST(query, 3, 1);
    query.verdict = VERDICT_LATE;
    ASSERT_LIST(query, 4);
    query.verdict = VERDICT_OPEN;
    ASSERT_LIST(query, 2);
    query.direction = INBOUND;
    assert_int_equal(list(store, query).count, 0);
    query = all;
    query.since = WALL(200);
    ASSERT_LIST(query, 5, 3, 2);
    query.peer = "mx03";
    query.since = WALL(51);
    ASSERT_LIST(query, 5);
    query.peer = "mx0";
    assert_int_equal(list(store, query).count, 0);
    store_close(store);
}

static void since_goes_by_what_the_sender_says(void **state)
{
    struct store *store = fixture_open(*state);
    struct probe_record ahead = fixture_inbound(1, "mx01", 500); // its clock is
    ahead.arrived = WALL(100);
    struct probe_record waited = fixture_outbound(2, "mx01", 500); // for a free submitter
    waited.planned = WALL(200);
    struct probe_record unsent = fixture_outbound(3, "mx01", 300);
    unsent.sent = WALLTIME_NONE;
    store_put_probe(store, &ahead);
    store_put_probe(store, &waited);
    store_put_probe(store, &unsent);
    struct store_query query = {.direction = -1, .verdict = -1, .limit = 10, .since = WALL(500)};
    ASSERT_LIST(query, 2, 1);
    query.since = WALL(300);
    ASSERT_LIST(query, 3, 2, 1);
    fixture_commit(store);
    store_close(store);
}

static void pages_hold_still_while_probes_come_and_change(void **state)
{
    struct store *store = open_with_five_probes(*state);
    struct store_query query = {.direction = -1, .verdict = -1, .limit = 2};
    struct page page = list(store, query);
    assert_page(&page, 2, (unsigned[]){5, 4});

    struct probe_record fresh = fixture_inbound(6, "mx01", 600);
    store_put_probe(store, &fresh);
    struct probe_record arrived = fixture_outbound(2, "mx01", 200);
    arrived.state = PROBE_ARRIVED;
    arrived.verdict = VERDICT_LATE;
    arrived.arrived = WALL(610);
    store_put_probe(store, &arrived);

    query.before = page.cursor;
    page = list(store, query);
    assert_page(&page, 2, (unsigned[]){3, 2});
    query.before = page.cursor;
    page = list(store, query);
    assert_page(&page, 1, (unsigned[]){1});
    query.before = page.cursor;
    assert_int_equal(list(store, query).count, 0);
    query.before = 4711;
    assert_int_equal(list(store, query).count, 0);
    fixture_commit(store);
    store_close(store);
}

static void pages_divide_probes_of_one_instant(void **state)
{
    struct store *store = fixture_open(*state);
    for (unsigned i = 1; i <= 9; i++) {
        struct probe_record record = fixture_inbound(i, "mx01", 0);
        record.verdict = i % 2 == 0 ? VERDICT_LATE : VERDICT_ON_TIME;
        store_put_probe(store, &record);
    }
    const char *const peers[] = {NULL, "mx01"};
    for (size_t k = 0; k < 2; k++) {
        struct store_query query = {.peer = peers[k], .direction = -1, .verdict = -1, .limit = 2};
        for (unsigned next = 9; next > 1; next -= 2) {
            struct page page = list(store, query);
            assert_page(&page, 2, (unsigned[]){next, next - 1});
            query.before = page.cursor;
        }
        ASSERT_LIST(query, 1);
    }
    fixture_commit(store);
    store_close(store);
}

static void a_list_ends_when_its_reader_has_enough(void **state)
{
    struct store *store = open_with_five_probes(*state);
    struct store_query query = {.direction = -1, .verdict = -1, .limit = 10};
    struct page page = {.stop_after = 3};
    struct error error;
    assert_true(store_query_probes(store, &query, see_listed_probe, &page, &error));
    assert_page(&page, 3, (unsigned[]){5, 4, 3});
    store_close(store);
}

// ---- retention ----

static void retention_takes_what_is_old_and_resolved(void **state)
{
    struct store *store = open_with_five_probes(*state);
    struct window over = full_window(), touched = over;
    over.begin = WALL(0);
    over.end = WALL(150);
    strcpy(touched.id, "w-touched");
    touched.end = WALL(250); // probe 2, sent at 200, is still in flight
    store_put_window(store, &over);
    store_put_window(store, &touched);
    struct incident open = full_incident(1), closed = full_incident(2);
    closed.closed = WALL(301);
    store_put_incident(store, &open);
    store_put_incident(store, &closed);
    fixture_commit(store);

    assert_false(store_retain(store, WALL(102), 10)); // noted at 102: not older than it
    fixture_commit(store);
    assert_int_equal(store_figures(store).entries, 5);

    assert_true(store_retain(store, WALL(302), 1));
    fixture_commit(store);
    assert_int_equal(store_figures(store).entries, 4);
    assert_false(store_retain(store, WALL(303), 10));
    fixture_commit(store);
    struct store_query query = {.direction = -1, .verdict = -1, .limit = 10};
    ASSERT_LIST(query, 5, 4, 2);
    assert_int_equal(store_figures(store).entries, 3);

    struct seen *seen = restore(store, 10, WALLTIME_NONE);
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
        TEST(keeps_every_field_of_a_probe),
        TEST(reads_what_was_never_said_as_nothing),
        TEST(shows_no_evidence_without_its_probe),
        TEST(an_update_keeps_what_it_does_not_say),
        TEST(tells_a_message_from_its_duplicate),
        TEST(a_new_ledger_restores_nothing),
        TEST(restores_open_probes_and_the_newest_arrived),
        TEST(slots_only_grow),
        TEST(windows_survive),
        TEST(open_incidents_survive),
        TEST(lists_incidents_newest_first),
        TEST(incident_ids_are_never_reused),
        TEST(remembers_when_it_lived),
        TEST(lists_by_peer_direction_verdict_and_time),
        TEST(since_goes_by_what_the_sender_says),
        TEST(pages_hold_still_while_probes_come_and_change),
        TEST(pages_divide_probes_of_one_instant),
        TEST(a_list_ends_when_its_reader_has_enough),
        TEST(retention_takes_what_is_old_and_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
