#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/server.h"
#include "core/trouble.h"

bool path_touches(const struct core *core, int peer, const char *server)
{
    return strcmp(server, core->settings->server) == 0 ||
           strcmp(server, core->peers[peer].settings->name) == 0;
}

struct path *path_of(struct core *core, int peer, enum direction direction)
{
    struct peer *state = &core->peers[peer];
    return direction == OUTBOUND ? &state->outbound.path : &state->inbound.path;
}

// The room is a power of two up to TROUBLES_KEPT: it grows when as many have been.
static struct verdict_trouble *next_trouble(struct path *path)
{
    uint32_t count = path->trouble_count++;
    if (count < TROUBLES_KEPT && (count & (count - 1)) == 0) {
        size_t room = count == 0 ? 1 : (size_t)count * 2;
        path->troubles = memory_checked(realloc(path->troubles, room * sizeof *path->troubles));
    }
    return &path->troubles[count % TROUBLES_KEPT];
}

void path_add_trouble(struct path *path, struct walltime began, int64_t incident, int rank)
{
    *next_trouble(path) =
        (struct verdict_trouble){.began = began, .incident = incident, .rank = rank};
}

void path_close_trouble(struct path *path, struct walltime closed, int64_t incident)
{
    for (size_t i = 0; i < TROUBLES_KEPT && i < path->trouble_count; i++) {
        if (path->troubles[i].incident == incident) {
            path->troubles[i].closed = closed;
        }
    }
}

void path_add_interruption(struct path *path, struct walltime began, struct walltime closed,
                           struct span settle)
{
    *next_trouble(path) = (struct verdict_trouble){
        .began = began, .closed = walltime_add(closed, settle), .over = closed, .rank = INCIDENTS};
}

struct instant path_skip_gap(const struct path *path, struct instant from)
{
    if (instant_reached(from, path->gap_end)) {
        return from;
    }
    struct instant blind_from = instant_later(from, path->gap_begin);
    return instant_add(from, instant_since(path->gap_end, blind_from));
}

static void end_interruptions(struct path *path, struct walltime arrived)
{
    for (size_t i = 0; i < TROUBLES_KEPT && i < path->trouble_count; i++) {
        struct verdict_trouble *trouble = &path->troubles[i];
        if (trouble->incident == 0 && arrived.ns >= trouble->over.ns) {
            trouble->closed = walltime_earlier(trouble->closed, arrived);
        }
    }
}

struct span path_silence_limit(const struct peer *peer, struct span interval)
{
    return span_longer(peer->settings->path.latency.critical, span_times(interval, 3));
}

struct instant path_watched_from(const struct core *core, int peer, struct instant from,
                                 struct moment now)
{
    from = instant_later(from, core->watch_floor);
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        if (!path_touches(core, peer, window->server) || window_from(window).ns > now.wall.ns ||
            window_void(window)) {
            continue;
        }
        struct walltime settled =
            walltime_add(window_until(window), core->settings->maintenance.settle);
        from = instant_later(from, moment_instant_at(now, settled));
    }
    return from;
}

// The windows of either end, with the moment at which mail resumed on this path.
static size_t gather_windows(const struct core *core, int peer, const struct path *path,
                             const struct probe_record *record,
                             struct verdict_window windows[VERDICT_WINDOWS_MAXIMUM])
{
    size_t count = 0;
    for (size_t i = 0; i < core->windows.count && count < VERDICT_WINDOWS_MAXIMUM; i++) {
        const struct window *window = &core->windows.items[i];
        if (!path_touches(core, peer, window->server) || window_void(window) ||
            window_from(window).ns > record->arrived.ns) {
            continue;
        }
        struct walltime latest =
            walltime_add(window_until(window), core->settings->maintenance.settle);
        struct walltime resumed =
            record->sent.ns > window_until(window).ns ? record->arrived : latest;
        for (size_t k = 0; k < RESUMPTIONS_KEPT && k < path->resumption_count; k++) {
            if (path->resumptions[k].end.ns == window->end.ns) {
                resumed = walltime_earlier(resumed, path->resumptions[k].at);
            }
        }
        resumed = walltime_earlier(walltime_later(resumed, window_until(window)), latest);
        windows[count++] =
            (struct verdict_window){window_from(window), window_until(window), resumed};
    }
    return count;
}

struct judgement path_judge(const struct core *core, int peer, enum direction direction,
                            struct probe_record *record, struct span recovery)
{
    const struct peer *state = &core->peers[peer];
    const struct path *path = direction == OUTBOUND ? &state->outbound.path : &state->inbound.path;
    struct verdict_window windows[VERDICT_WINDOWS_MAXIMUM];
    struct verdict_case life = {
        .sent = record->sent,
        .arrived = record->arrived,
        .latency = record->latency,
        .error = record->latency_error,
        .warning = core->peers[peer].settings->path.latency.warning,
        .recovery = recovery,
        .windows = windows,
        .window_count = gather_windows(core, peer, path, record, windows),
        .troubles = path->troubles,
        .trouble_count = path->trouble_count < TROUBLES_KEPT ? path->trouble_count : TROUBLES_KEPT,
    };
    struct judgement judgement = verdict_judge(&life);
    record->state = PROBE_ARRIVED;
    record->rerouted = path->last_rerouted;
    record->verdict = judgement.verdict;
    record->excused = judgement.excused;
    record->incident = judgement.incident;
    return judgement;
}

static void note_resumption(struct path *path, struct walltime end, struct walltime at)
{
    if (path->resumptions == NULL) {
        path->resumptions = memory_checked(calloc(RESUMPTIONS_KEPT, sizeof *path->resumptions));
    }
    path->resumptions[path->resumption_count++ % RESUMPTIONS_KEPT] = (struct resumption){end, at};
}

void path_note_overrun(struct path *path, struct walltime end)
{
    note_resumption(path, end, end);
}

void path_note_resumptions(struct core *core, int peer, enum direction direction,
                           const struct probe_record *record)
{
    struct path *path = path_of(core, peer, direction);
    for (size_t i = 0; i < core->windows.count; i++) {
        struct walltime end = core->windows.items[i].end;
        struct walltime until = window_until(&core->windows.items[i]);
        if (path->last_sent.ns <= until.ns && record->sent.ns > until.ns &&
            path_touches(core, peer, core->windows.items[i].server)) {
            note_resumption(path, end, record->arrived);
        }
    }
}

static void observe_latency(struct core *core, int peer, enum direction direction,
                            struct path *path, const struct probe_record *record)
{
    if (record->sent.ns > path->last_sent.ns) {
        path->last_sent = record->sent;
    }
    path->last_arrival = record->arrived;
    path->last_latency = record->latency;
    path->last_error = record->latency_error;
    if (record->latency.ns < 0) {
        core->stats.negative_latencies++;
        return;
    }
    struct histogram *latency = &core->peers[peer].stats.latency[direction];
    double seconds = span_seconds(record->latency);
    histogram_observe(latency, &core->edges, seconds);
    latency->exemplar = (struct exemplar){record->id, seconds, record->arrived};
}

void path_count_verdict(struct core *core, int peer, enum direction direction, enum verdict verdict)
{
    core->peers[peer].stats.resolved[direction][verdict]++;
}

static void evaluate_slow(struct core *core, int peer, enum direction direction,
                          const struct probe_record *record, struct moment now)
{
    const struct incident_settings *rules = &core->settings->incidents;
    const struct latency_settings *thresholds = &core->peers[peer].settings->path.latency;
    const struct path *path = path_of(core, peer, direction);
    unsigned above_warning = decisions_above(&path->decisions, rules->slow_of, thresholds->warning);
    unsigned above_critical =
        decisions_above(&path->decisions, rules->slow_of, thresholds->critical);
    if (above_warning < rules->slow_late || record->verdict != VERDICT_LATE) {
        return; // only what is late is evidence
    }
    bool critical = above_critical >= rules->slow_late;
    const struct flights *flights = &core->peers[peer].outbound.flights;
    bool waiting = direction == OUTBOUND && flights->count > 0;
    struct evidence evidence = {
        .oldest_age = waiting ? walltime_since(now.wall, flights->items[0].sent) : SPAN_ZERO,
        .latency = record->latency,
        .threshold = critical ? thresholds->critical : thresholds->warning,
        .late = critical ? above_critical : above_warning,
        .of = rules->slow_of,
        .has_probe = true,
        .probe = record->id,
    };
    if (path->last_hop != NULL) {
        evidence.hop = *path->last_hop;
    }
    text_copy(evidence.cause, sizeof evidence.cause, bounce_delay_words(core, peer, direction));
    struct subject subject = subject_of_path(peer, direction);
    enum severity severity = critical ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    struct incident *open = trouble_find(core, INCIDENT_SLOW, &subject);
    if (open == NULL) {
        trouble_open(core, INCIDENT_SLOW, &subject, severity, record->sent, &evidence, now);
    } else {
        trouble_worsen(core, open, severity, &evidence, now);
    }
}

static void evaluate_recovery(struct core *core, int peer, enum direction direction,
                              struct moment now)
{
    const struct decisions *decisions = &path_of(core, peer, direction)->decisions;
    struct subject subject = subject_of_path(peer, direction);
    const enum incident_kind kinds[] = {INCIDENT_SILENT, INCIDENT_SLOW};
    bool recovered[] = {false, false};
    for (int i = 0; i < 2; i++) { // both are asked first: closing one begins the count anew
        const struct incident *open = trouble_find(core, kinds[i], &subject);
        recovered[i] = open != NULL && decisions_on_time_since(decisions, open->opened) >=
                                           core->settings->incidents.close_after;
    }
    for (int i = 0; i < 2; i++) {
        if (recovered[i]) {
            trouble_close(core, kinds[i], &subject, now);
        }
    }
}

struct judgement path_arrived(struct core *core, int peer, enum direction direction,
                              struct probe_record *record, struct span recovery, struct moment now)
{
    struct path *path = path_of(core, peer, direction);
    path_note_resumptions(core, peer, direction, record);
    struct judgement judgement = path_judge(core, peer, direction, record, recovery);
    end_interruptions(path, record->arrived);
    observe_latency(core, peer, direction, path, record);
    path_count_verdict(core, peer, direction, judgement.verdict);
    decisions_add(&path->decisions, record->arrived, record->latency, record->latency_error,
                  judgement.residual, judgement.verdict);
    server_arrived(core, peer, direction, record, now);
    evaluate_slow(core, peer, direction, record, now);
    evaluate_recovery(core, peer, direction, now);
    if (judgement.verdict == VERDICT_ON_TIME) {
        bounce_forget_delay(core, peer, direction);
    }
    return judgement;
}
