#include "core_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct mailbox_settings MAILBOX = {.name = "local", .authserv_id = ""};

static int compare_by_name(const void *a, const void *b, void *peers)
{
    const struct peer_settings *of = peers;
    return strcmp(of[*(const uint32_t *)a].name, of[*(const uint32_t *)b].name);
}

struct settings *core_settings_of(size_t peers)
{
    struct arena *arena = arena_create();
    struct settings *settings = arena_take(arena, sizeof *settings);
    struct peer_settings *list = arena_take(arena, (peers + 1) * sizeof *list);
    uint32_t *by_name = arena_take(arena, (peers + 1) * sizeof *by_name);
    for (size_t i = 0; i < peers; i++) {
        char name[24];
        snprintf(name, sizeof name, "p%zu", i);
        by_name[i] = (uint32_t)i;
        list[i] = (struct peer_settings){
            .name = arena_copy_text(arena, name),
            .address = "probe@peer.example",
            .agent = "",
            .collect = "",
            .path = {.interval = SPAN_SECONDS(60),
                     .latency = {SPAN_SECONDS(60), SPAN_MINUTES(5)},
                     .thin_after = 8,
                     .thin_interval = SPAN_MINUTES(15),
                     .queue_lifetime = SPAN_HOURS(132)},
        };
    }
    qsort_r(by_name, peers, sizeof *by_name, compare_by_name, list);
    *settings = (struct settings){
        .arena = arena,
        .server = "here",
        .address = "probe@here.example",
        .retention = SPAN_HOURS(720),
        .mailboxes = &MAILBOX,
        .mailbox_count = 1,
        .http = {.certificate_file = ""},
        .maintenance = {SPAN_MINUTES(5), SPAN_SECONDS(4900), .alertmanager = {.url = ""}},
        .incidents = {.reminder = SPAN_HOURS(4),
                      .blind_after = SPAN_MINUTES(2),
                      .isolated_after = SPAN_MINUTES(2),
                      .refused_after = 3,
                      .slow_late = 3,
                      .slow_of = 5,
                      .rerouted_after = 3,
                      .close_after = 2},
        .peers = list,
        .peer_count = peers,
        .peers_by_name = by_name,
    };
    return settings;
}

void core_fixture_begin(struct core_fixture *fixture, size_t peers)
{
    *fixture = (struct core_fixture){
        .settings = core_settings_of(peers),
        .now = {{5000000000000}, {1767484800000000000}},
    };
    fixture->core = core_create(fixture->settings, fixture->now, 7);
    core_start(fixture->core, fixture->now, WALLTIME_NONE, WALLTIME_NONE);
    core_fixture_readable(fixture, true);
}

void core_fixture_end(struct core_fixture *fixture)
{
    core_destroy(fixture->core);
    arena_destroy(fixture->settings->arena);
}

void core_fixture_wait(struct core_fixture *fixture, struct span wait)
{
    fixture->now.instant = instant_add(fixture->now.instant, wait);
    fixture->now.wall = walltime_add(fixture->now.wall, wait);
}

void core_fixture_handle(struct core_fixture *fixture, const struct event *event)
{
    core_handle(fixture->core, event, fixture->now, &fixture->actions);
}

void core_fixture_time(struct core_fixture *fixture)
{
    const struct event event = {.kind = EVENT_TIME};
    core_fixture_handle(fixture, &event);
}

void core_fixture_run(struct core_fixture *fixture, struct span length,
                      void (*each)(void *context, const struct action *action), void *context)
{
    struct instant end = instant_add(fixture->now.instant, length);
    for (struct instant next; (next = core_next_deadline(fixture->core)).ns <= end.ns;) {
        core_fixture_wait(fixture, instant_since(instant_later(next, fixture->now.instant),
                                                 fixture->now.instant));
        core_fixture_time(fixture);
        for (size_t i = 0; each != NULL && i < fixture->actions.count; i++) {
            each(context, &fixture->actions.items[i]);
        }
    }
    core_fixture_wait(fixture, instant_since(end, fixture->now.instant));
}

size_t core_fixture_count(const struct core_fixture *fixture, enum action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < fixture->actions.count; i++) {
        count += fixture->actions.items[i].kind == kind;
    }
    return count;
}

const struct action *core_fixture_action(const struct core_fixture *fixture, enum action_kind kind)
{
    for (size_t i = 0; i < fixture->actions.count; i++) {
        if (fixture->actions.items[i].kind == kind) {
            return &fixture->actions.items[i];
        }
    }
    return NULL;
}

struct probe_id core_fixture_id(unsigned number)
{
    struct probe_id id = {{1}};
    memcpy(id.bytes + 4, &number, sizeof number);
    return id;
}

struct collect_report core_fixture_report(const struct core_fixture *fixture, const char *peer,
                                          unsigned number, struct span latency)
{
    struct collect_report report = {
        .kind = COLLECT_ARRIVAL,
        .mailbox = "local",
        .absent = {{fixture->now.instant.ns - 1000000}, {fixture->now.wall.ns - 1000000}},
        .present = fixture->now,
        .tag = {.to = "here",
                .kind = PROBE_SLOT,
                .slot = 1000 + (int64_t)number,
                .sent = {fixture->now.wall.ns - latency.ns},
                .next = SPAN_SECONDS(60),
                .drain = SPAN_SECONDS(4900),
                .id = core_fixture_id(number)},
    };
    text_copy(report.tag.from, sizeof report.tag.from, peer);
    return report;
}

void core_fixture_arrive(struct core_fixture *fixture, const struct collect_report *report,
                         enum arrival_known known)
{
    struct event event = {
        .kind = EVENT_ARRIVAL,
        .arrival = {.mailbox = 0, .known = known, .report = report},
    };
    core_fixture_handle(fixture, &event);
}

void core_fixture_receipts(const struct core_fixture *fixture, int peer, struct receipts *out)
{
    struct exchange said;
    struct error error;
    core_compose(fixture->core, peer, fixture->now, &said);
    bool parsed = receipts_parse(said.receipts, out, &error);
    assert(parsed);
}

void core_fixture_readable(struct core_fixture *fixture, bool readable)
{
    struct event event = {.kind = EVENT_MAILBOX, .mailbox = {0, readable, "connection refused"}};
    core_fixture_handle(fixture, &event);
    if (readable) {
        const struct event read = {.kind = EVENT_COLLECTED, .collected = {0, fixture->now.wall, 0}};
        core_fixture_handle(fixture, &read);
    }
}

void core_fixture_submitted(struct core_fixture *fixture, int peer, const struct probe_id *id,
                            enum submit_result result)
{
    bool refused = result == SUBMIT_REFUSED;
    struct event event = {
        .kind = EVENT_SUBMITTED,
        .submitted = {.peer = peer,
                      .id = *id,
                      .outcome = {.result = result,
                                  .reply_class = refused ? REPLY_5XX : REPLY_2XX,
                                  .reply = "550 no"}},
    };
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        event.submitted.outcome.legs[i] = (struct span){-1};
    }
    if (!refused) {
        event.submitted.outcome.sent = event.submitted.outcome.accepted = fixture->now;
    }
    core_fixture_handle(fixture, &event);
}

struct probe_id core_fixture_send(struct core_fixture *fixture, enum submit_result result)
{
    while (core_fixture_count(fixture, ACTION_SEND) == 0) {
        core_fixture_wait(fixture, SPAN_SECONDS(5));
        core_fixture_time(fixture);
    }
    struct probe_id id = core_fixture_action(fixture, ACTION_SEND)->send.tag.id;
    core_fixture_submitted(fixture, 0, &id, result);
    return id;
}

void core_fixture_hear(struct core_fixture *fixture, int peer, const char *maintenance,
                       const char *row)
{
    static struct exchange said;
    said = (struct exchange){0};
    text_copy(said.maintenance, sizeof said.maintenance, maintenance);
    text_copy(said.row, sizeof said.row, row);
    struct event event = {.kind = EVENT_EXCHANGE, .exchange = {peer, &said}};
    core_fixture_handle(fixture, &event);
}
