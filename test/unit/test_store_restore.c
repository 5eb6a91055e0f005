// The ledger after a restart: which probes, slots and windows the core is given back.
#include "store_restored.h"

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

static void what_a_peer_has_seen_is_what_it_said_last(void **state)
{
    static const struct walltime SAID[] = {WALL(50), WALL(40), WALLTIME_NONE};
    for (unsigned i = 0; i < 3; i++) {
        struct store *store = fixture_open(*state);
        struct probe_record arrived = fixture_inbound(i, "mx01", 60 + i);
        struct probe_record sent = fixture_outbound(10 + i, "mx01", 70 + i);
        store_put_slots(store, "mx01", 200);
        arrived.seen = SAID[i];
        store_put_probe(store, &arrived);
        store_put_probe(store, &sent);
        fixture_commit(store);
        store_close(store);
        store = fixture_open(*state);
        struct seen *seen = restore(store, 1, WALLTIME_NONE);
        assert_int_equal(seen->slots_count, 1);
        assert_true(seen->slots[0].seen.ns == SAID[i].ns && seen->slots[0].reserved == 200);
        store_close(store);
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_ledger_restores_nothing),
        TEST(restores_open_probes_and_the_newest_arrived),
        TEST(restores_what_came_within_the_last_hour),
        TEST(slots_only_grow),
        TEST(what_a_peer_has_seen_is_what_it_said_last),
        TEST(windows_survive),
        TEST(acknowledgements_survive_and_only_grow),
        TEST(acknowledgements_go_with_their_window),
        TEST(remembers_when_it_lived),
        TEST(a_ledger_of_schema_1_is_migrated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
