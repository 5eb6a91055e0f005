// What the tests of a ledger after a restart share: all that the core is given back, and a window
// and an incident in which every member says something.
#ifndef MAILFLOW_TEST_STORE_RESTORED_H
#define MAILFLOW_TEST_STORE_RESTORED_H

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
        struct walltime seen;
    } slots[SEEN_MAXIMUM];
    size_t slots_count;
    struct walltime alive, started;
};

static inline void see_probe(void *context, const struct probe_record *record)
{
    struct seen *seen = context;
    assert_true(seen->probe_count < SEEN_MAXIMUM);
    seen->probes[seen->probe_count++] = *record;
}

static inline void see_incident(void *context, const struct incident *incident)
{
    struct seen *seen = context;
    seen->incidents[seen->incident_count++] = *incident;
}

static inline void see_notice(void *context, int64_t number, const struct incident *incident,
                              enum notice notice)
{
    struct seen *seen = context;
    seen->notices[seen->notice_count].number = number;
    seen->notices[seen->notice_count].incident = incident->id;
    seen->notices[seen->notice_count++].notice = notice;
}

static inline void see_window(void *context, const struct window *window)
{
    struct seen *seen = context;
    seen->windows[seen->window_count++] = *window;
}

static inline void see_acknowledged(void *context, const char *window, uint32_t revision,
                                    const char *peer)
{
    struct seen *seen = context;
    assert_int_equal(seen->incident_count, 0); // windows and what belongs to them come first
    strcpy(seen->acknowledged[seen->acknowledged_count].window, window);
    strcpy(seen->acknowledged[seen->acknowledged_count].peer, peer);
    seen->acknowledged[seen->acknowledged_count++].revision = revision;
}

static inline void see_slots(void *context, const char *peer, int64_t reserved,
                             struct walltime seen_by_peer)
{
    struct seen *seen = context;
    strcpy(seen->slots[seen->slots_count].peer, peer);
    seen->slots[seen->slots_count].seen = seen_by_peer;
    seen->slots[seen->slots_count++].reserved = reserved;
}

static inline struct seen *restore(struct store *store, unsigned newest,
                                   struct walltime windows_since)
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

static inline struct window full_window(void)
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

static inline struct incident full_incident(int64_t id)
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
        .ended = "1,2",
    };
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
