#include "replay/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/arrival.h"
#include "core/replay.h"
#include "probes/json_values.h"
#include "replay/changes.h"
#include "replay/tally.h"
#include "replay/timeline.h"

// The boot-time clock of the replay, at its first happening.
#define INSTANT_BEGIN SPAN_HOURS(1)

// How often a mailbox has been read completely, where nothing says so.
#define COLLECT_INTERVAL SPAN_SECONDS(10)

// Peers greeted or not are jobs of the shell that it answers soon.
enum { GREETINGS_MAXIMUM = 64 };

struct replay {
    const struct replay_request *request;
    struct store_recorded *recorded;
    struct timeline *timeline;
    struct core *core;
    struct walltime origin;
    struct moment now;
    struct instant collected;
    struct actions *actions;
    struct window *windows;
    size_t window_count;
    int greetings[GREETINGS_MAXIMUM]; // peers that the core asks about
    size_t greeting_count;
    struct tally tally;
    struct changes changes;
    uint64_t probes;
};

// ---- what the core says ----

static void take_record(struct replay *replay, const struct probe_record *record)
{
    int peer = settings_find_peer(replay->request->settings, record->peer);
    tally_add_probe(&replay->tally, SIDE_SIMULATED, record);
    changes_note(&replay->changes, SIDE_SIMULATED, peer, record);
    if (peer >= 0 && record->direction == OUTBOUND && record->state == PROBE_ARRIVED &&
        record->latency.ns > replay->request->settings->peers[peer].path.queue_lifetime.ns) {
        tally_take_loss(&replay->tally, SIDE_SIMULATED, record);
    }
}

static void take_action(struct replay *replay, const struct action *action)
{
    if (action->kind == ACTION_RECORD_PROBE) {
        take_record(replay, &action->probe);
    } else if (action->kind == ACTION_INCIDENT) {
        tally_put_incident(&replay->tally, SIDE_SIMULATED, &action->incident);
    } else if (action->kind == ACTION_GREET && replay->greeting_count < GREETINGS_MAXIMUM) {
        replay->greetings[replay->greeting_count++] = action->peer;
    }
}

static void tell(struct replay *replay, const struct event *event)
{
    core_handle(replay->core, event, replay->now, replay->actions);
    for (size_t i = 0; i < replay->actions->count; i++) {
        take_action(replay, &replay->actions->items[i]);
    }
}

// Whether the peer's server greeted, nobody recorded but in what followed from it.
static bool had_greeted(const struct replay *replay, const char *peer)
{
    const struct tally_incidents *list = &replay->tally.incidents[SIDE_RECORDED];
    for (size_t i = 0; i < list->count; i++) {
        const struct incident *incident = &list->items[i];
        if (incident->kind == INCIDENT_UNHEARD && strcmp(incident->subject_text, peer) == 0 &&
            incident->began.ns <= replay->now.wall.ns &&
            (!walltime_known(incident->closed) || incident->closed.ns >= replay->now.wall.ns)) {
            return true;
        }
    }
    return false;
}

static void tell_greetings(struct replay *replay)
{
    while (replay->greeting_count > 0) {
        int peer = replay->greetings[--replay->greeting_count];
        const char *name = replay->request->settings->peers[peer].name;
        struct event event = {.kind = EVENT_GREETED};
        event.greeted.peer = peer;
        event.greeted.greeted = had_greeted(replay, name);
        event.greeted.cause = event.greeted.greeted ? "" : "not recorded";
        tell(replay, &event);
    }
}

// ---- time ----

static struct moment moment_at(const struct replay *replay, struct walltime at)
{
    struct span passed = walltime_since(at, replay->origin);
    return (struct moment){instant_add((struct instant){INSTANT_BEGIN.ns}, passed), at};
}

static void tell_time(struct replay *replay)
{
    struct event event = {.kind = EVENT_TIME};
    tell(replay, &event);
    tell_greetings(replay);
}

static void tell_collected(struct replay *replay)
{
    const struct settings *settings = replay->request->settings;
    struct event event = {.kind = EVENT_COLLECTED};
    replay->collected = instant_add(replay->now.instant, COLLECT_INTERVAL);
    for (int i = 0; i < (int)settings->mailbox_count; i++) {
        if (core_mailbox(replay->core, i)->readable) {
            event.collected.mailbox = i;
            event.collected.at = replay->now.wall;
            tell(replay, &event);
        }
    }
}

// Every deadline of the core before then.
static void advance(struct replay *replay, struct walltime until)
{
    struct instant end = moment_at(replay, until).instant;
    for (;;) {
        struct instant due = instant_earlier(core_next_deadline(replay->core), replay->collected);
        due = instant_later(due, replay->now.instant);
        if (due.ns >= end.ns) {
            break;
        }
        replay->now = (struct moment){due, moment_wall_at(replay->now, due)};
        if (instant_reached(due, replay->collected)) {
            tell_collected(replay);
        } else {
            tell_time(replay);
        }
    }
    replay->now = moment_at(replay, walltime_later(until, replay->now.wall));
}

// ---- happenings ----

static void tell_submitted(struct replay *replay, const struct happening *happening)
{
    const struct recorded_probe *probe = &happening->probe;
    struct event event = {.kind = EVENT_SUBMITTED};
    event.submitted.peer = happening->peer;
    event.submitted.id = probe->record.id;
    struct submit_outcome *outcome = &event.submitted.outcome;
    outcome->result = probe->record.state == PROBE_REFUSED     ? SUBMIT_REFUSED
                      : walltime_known(probe->record.accepted) ? SUBMIT_ACCEPTED
                                                               : SUBMIT_UNCERTAIN;
    outcome->reply_class = probe->reply_class;
    outcome->code = probe->code;
    outcome->sent.wall = probe->record.sent;
    outcome->accepted.wall = probe->record.accepted;
    memcpy(outcome->legs, probe->legs, sizeof outcome->legs);
    tell(replay, &event);
}

static void fill_tag(const struct replay *replay, const struct probe_record *record,
                     struct tag *tag)
{
    bool outbound = record->direction == OUTBOUND;
    const char *own = replay->request->settings->server;
    text_copy(tag->from, sizeof tag->from, outbound ? own : record->peer);
    text_copy(tag->to, sizeof tag->to, outbound ? record->peer : own);
    tag->kind = record->kind;
    tag->slot = record->slot;
    tag->sent = record->sent;
    tag->next = record->next;
    tag->id = record->id;
}

static struct moment moment_if_known(const struct replay *replay, struct walltime at)
{
    return walltime_known(at) ? moment_at(replay, at) : (struct moment){0};
}

// The arrival as it was seen, so that the core makes the same of it; what the ledger adds to its
// error is the sender's.
static void tell_arrived(struct replay *replay, const struct happening *happening)
{
    const struct recorded_probe *probe = &happening->probe;
    struct walltime present =
        walltime_known(probe->present) ? probe->present : probe->record.arrived;
    struct collect_report report = {
        .kind = COLLECT_ARRIVAL,
        .stripped = probe->stripped,
        .absent = moment_if_known(replay, probe->absent),
        .asked = moment_if_known(replay, probe->asked),
        .present = moment_if_known(replay, present),
        .saved = probe->saved,
    };
    fill_tag(replay, &probe->record, &report.tag);
    struct span seen = arrival_reported(&report, probe->record.sent).error;
    report.tag.error = span_longer(span_subtract(probe->record.latency_error, seen), SPAN_ZERO);
    struct text text = TEXT_OVER(report.receipts);
    if (happening->receipts != NULL) {
        receipts_format(happening->receipts, &text);
    }
    struct event event = {.kind = EVENT_ARRIVAL};
    event.arrival.mailbox = happening->mailbox;
    event.arrival.known = ARRIVAL_NEW;
    event.arrival.report = &report;
    tell(replay, &event);
}

// That it failed; what the server said is not asked for.
static void tell_bounced(struct replay *replay, const struct happening *happening)
{
    struct collect_report report = {
        .kind = COLLECT_BOUNCE, .verified = true, .present = replay->now};
    fill_tag(replay, &happening->probe.record, &report.tag);
    struct event event = {.kind = EVENT_BOUNCE};
    event.arrival.report = &report;
    tell(replay, &event);
}

static void tell_mailbox(struct replay *replay, int mailbox, bool readable)
{
    struct event event = {.kind = EVENT_MAILBOX};
    event.mailbox.mailbox = mailbox;
    event.mailbox.readable = readable;
    event.mailbox.cause = readable ? "" : "as recorded";
    tell(replay, &event);
}

static void tell_window(struct replay *replay, const struct window *window)
{
    struct event event = {.kind = EVENT_WINDOW};
    event.window = *window;
    tell(replay, &event);
}

static void take_recorded(struct replay *replay, const struct happening *happening)
{
    replay->probes++;
    tally_add_probe(&replay->tally, SIDE_RECORDED, &happening->probe.record);
    changes_note(&replay->changes, SIDE_RECORDED, happening->peer, &happening->probe.record);
}

static void tell_happening(struct replay *replay, const struct happening *happening)
{
    switch (happening->kind) {
    case HAPPENING_SENDING:
        core_replay_sending(replay->core, happening->peer, &happening->probe.record, replay->now);
        take_recorded(replay, happening);
        break;
    case HAPPENING_SUBMITTED:
        tell_submitted(replay, happening);
        break;
    case HAPPENING_ARRIVED:
        if (happening->probe.record.direction == INBOUND) {
            take_recorded(replay, happening);
        }
        tell_arrived(replay, happening);
        break;
    case HAPPENING_BOUNCED:
        tell_bounced(replay, happening);
        break;
    case HAPPENING_WINDOW:
        tell_window(replay, happening->window);
        break;
    case HAPPENING_READABLE:
    case HAPPENING_UNREADABLE:
        tell_mailbox(replay, happening->mailbox, happening->kind == HAPPENING_READABLE);
        break;
    }
    tell_greetings(replay);
}

// The core as an agent with a new ledger has it.
static void begin(struct replay *replay, struct walltime at)
{
    const struct settings *settings = replay->request->settings;
    replay->origin = at;
    replay->now = moment_at(replay, at);
    replay->collected = instant_add(replay->now.instant, COLLECT_INTERVAL);
    replay->core = core_create(settings, replay->now, 1);
    core_replay(replay->core);
    core_start(replay->core, replay->now, WALLTIME_NONE, WALLTIME_NONE);
    for (int i = 0; i < (int)settings->mailbox_count; i++) {
        tell_mailbox(replay, i, true);
    }
}

static void live_through(struct replay *replay, const struct happening *happening)
{
    if (replay->core == NULL) {
        begin(replay, happening->at);
    } else if (happening->after_gap) {
        replay->now = moment_at(replay, walltime_later(happening->at, replay->now.wall));
        core_replay_started(replay->core, replay->now);
        tell_time(replay);
    } else {
        advance(replay, happening->at);
    }
    tell_happening(replay, happening);
}

static bool live_through_all(struct replay *replay, struct error *error)
{
    const struct happening *happening;
    do {
        if (!timeline_next(replay->timeline, &happening, error)) {
            return false;
        }
        if (happening != NULL) {
            live_through(replay, happening);
        }
    } while (happening != NULL);
    return replay->core != NULL ||
           error_set(error, "ledger %s has no probes of the peers in this configuration",
                     replay->request->ledger);
}

// ---- what is known before ----

static void add_window(struct replay *replay, const struct window *window)
{
    size_t size = (replay->window_count + 1) * sizeof *window;
    if (!window_void(window)) {
        replay->windows = memory_checked(realloc(replay->windows, size));
        replay->windows[replay->window_count++] = *window;
    }
}

static void take_window(void *context, const struct window *window)
{
    add_window(context, window);
}

static void take_incident(void *context, const struct incident *incident)
{
    struct replay *replay = context;
    tally_put_incident(&replay->tally, SIDE_RECORDED, incident);
    int mailbox = settings_find_mailbox(replay->request->settings, incident->subject_text);
    if (incident->kind == INCIDENT_BLIND && mailbox >= 0) {
        timeline_add_blindness(replay->timeline, mailbox, incident->began, incident->closed);
    }
}

static void add_given_windows(struct replay *replay)
{
    for (size_t i = 0; i < replay->request->window_count; i++) {
        const struct replay_window *given = &replay->request->windows[i];
        struct window window = {.revision = 1, .begin = given->begin, .end = given->end};
        struct text id = TEXT_OVER(window.id);
        text_format(&id, "given-%zu", i + 1);
        text_copy(window.server, sizeof window.server, given->server);
        text_copy(window.by, sizeof window.by, "simulate");
        add_window(replay, &window);
    }
}

static bool prepare(struct replay *replay, struct error *error)
{
    if (!store_recorded_incidents(replay->recorded, take_incident, replay, error) ||
        (replay->request->recorded_windows &&
         !store_recorded_windows(replay->recorded, take_window, replay, error))) {
        return false;
    }
    add_given_windows(replay);
    for (size_t i = 0; i < replay->window_count; i++) {
        timeline_add_window(replay->timeline, &replay->windows[i]);
    }
    return true;
}

// ---- the answer ----

static json_t *windows_to_json(const struct replay *replay)
{
    json_t *list = memory_checked(json_array());
    for (size_t i = 0; i < replay->window_count; i++) {
        const struct window *window = &replay->windows[i];
        json_t *object = memory_checked(json_object());
        json_write_text(object, "id", window->id);
        json_write_text(object, "server", window->server);
        tally_write_time(object, "begin", window->begin);
        tally_write_time(object, "end", window->end);
        memory_checked(json_array_append_new(list, object) == 0 ? list : NULL);
    }
    return list;
}

static json_t *answer(struct replay *replay)
{
    json_t *object = memory_checked(json_object());
    tally_write_time(object, "from", replay->origin);
    tally_write_time(object, "until", replay->now.wall);
    tally_write_time(object, "since", replay->request->since);
    json_write_integer(object, "probes", (int64_t)replay->probes);
    json_write_integer(object, "unknown_peers", (int64_t)timeline_strangers(replay->timeline));
    json_write_object(object, "windows", windows_to_json(replay));
    tally_write(&replay->tally, object);
    changes_write(&replay->changes, replay->request->settings, object);
    return object;
}

static void end(struct replay *replay)
{
    if (replay->core != NULL) {
        core_destroy(replay->core);
    }
    timeline_destroy(replay->timeline);
    store_recorded_close(replay->recorded);
    tally_free(&replay->tally);
    changes_free(&replay->changes);
    free(replay->windows);
    free(replay->actions);
}

json_t *replay_run(const struct replay_request *request, struct error *error)
{
    struct replay replay = {
        .request = request, .tally.since = request->since, .changes.since = request->since};
    replay.recorded = store_recorded_open(request->ledger, error);
    if (replay.recorded == NULL) {
        return NULL;
    }
    replay.timeline = timeline_create(replay.recorded, request->settings);
    replay.actions = memory_checked(malloc(sizeof *replay.actions));
    bool done = prepare(&replay, error) && live_through_all(&replay, error);
    json_t *object = done ? answer(&replay) : NULL;
    end(&replay);
    return object;
}
