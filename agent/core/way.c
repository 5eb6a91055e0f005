// What an arrival says of its way, before it is judged: which hop took longest, whether it came as
// the path's probes use to come, and what follows where it did not.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/server.h"
#include "core/trouble.h"

// An arrival on a path, with what is known of it.
struct arriving {
    struct core *core;
    int peer;
    struct subject subject;
    struct path *path;
    const struct collect_report *report;
    const struct way *way;
    struct moment now;
    const struct window *window; // that has to do with it, NULL for none ...
    bool hushed;                 // ... and still keeps quiet what is found
};

// ---- maintenance ----

// A window of either end that its life touches.
static bool touches(const struct arriving *of, const struct window *window)
{
    struct span settle = of->core->settings->maintenance.settle;
    return path_touches(of->core, of->peer, window->server) && !window_void(window) &&
           window_from(window).ns <= of->way->arrival.at.ns &&
           of->way->sent.ns <= walltime_add(window_until(window), settle).ns;
}

// Finds them: one, an emergency before others.
static void find_windows(struct arriving *of)
{
    struct span settle = of->core->settings->maintenance.settle;
    for (size_t i = 0; i < of->core->windows.count; i++) {
        const struct window *window = &of->core->windows.items[i];
        if (touches(of, window)) {
            bool first = of->window == NULL || window->kind == WINDOW_EMERGENCY;
            of->window = first ? window : of->window;
            of->hushed = of->hushed || window_suppresses(window, of->now.wall, settle);
        }
    }
}

// Opens, or renews what is open. What happened inside a window is told while that lasts, where it
// is held back; afterwards it opens nothing.
static void open_or_renew(const struct arriving *of, enum incident_kind kind,
                          const struct evidence *evidence)
{
    struct incident *open = trouble_find(of->core, kind, &of->subject);
    if (open != NULL) {
        open->evidence = *evidence;
    } else if (of->window == NULL || of->hushed) {
        trouble_open(of->core, kind, &of->subject, incident_rule(kind)->severity, of->way->sent,
                     evidence, of->now);
    }
}

// What the path is used to has changed: writes it.
static void record_habits(struct core *core, int peer, enum direction direction)
{
    struct action *action = core_act(core, ACTION_RECORD_HABITS);
    action->habits.peer = peer;
    action->habits.direction = direction;
}

// ---- the route ----

static void write_usual(const struct routes *known, char out[ROUTE_SIZE])
{
    struct text text = text_over(out, ROUTE_SIZE);
    for (size_t i = 0; i < known->count; i++) {
        text_append(&text, i == 0 ? "" : " or ");
        text_append(&text, known->of[i]);
    }
}

static void route_changed(const struct arriving *of, const char *route, const struct routes *usual)
{
    struct evidence evidence = {.has_probe = true, .probe = of->report->tag.id};
    text_copy(evidence.route, sizeof evidence.route, route);
    write_usual(usual, evidence.usual_route);
    of->core->peers[of->peer].stats.route_changes++;
    if (of->window == NULL) {
        open_or_renew(of, INCIDENT_REROUTED, &evidence);
        return;
    }
    struct action *action = core_act(of->core, ACTION_SAY_ROUTE);
    action->route.peer = of->peer;
    action->route.direction = of->subject.direction;
    text_copy(action->route.window, sizeof action->route.window, of->window->id);
    memcpy(action->route.route, evidence.route, sizeof evidence.route);
    memcpy(action->route.usual, evidence.usual_route, sizeof evidence.usual_route);
}

static void follow_route(const struct arriving *of)
{
    char route[ROUTE_SIZE];
    const struct incident_settings *rules = &of->core->settings->incidents;
    trace_route(&of->report->trace, route);
    of->path->last_rerouted = false;
    if (of->report->stripped || route[0] == '\0') {
        return;
    }
    struct habits habits;
    kept_habits_get(of->path->habits, &habits);
    struct route_memory *memory = &habits.route;
    struct route_step step = route_note(memory, route, rules->rerouted_after, of->window != NULL);
    kept_habits_put(&of->path->habits, &habits);
    of->path->last_rerouted = step.strange;
    if (step.changed && trouble_find(of->core, INCIDENT_REROUTED, &of->subject) == NULL) {
        route_changed(of, route, &memory->known);
    }
    if (memory->usual >= rules->close_after) {
        trouble_close(of->core, INCIDENT_REROUTED, &of->subject, of->now);
    }
}

static void forget(struct core *core, const struct incident *incident)
{
    const struct subject *subject = &incident->subject;
    struct path *path = path_of(core, subject->peer, subject->direction);
    struct habits habits;
    kept_habits_get(path->habits, &habits);
    if (incident->kind == INCIDENT_MISPLACED) {
        habits.placement = (struct placement){0};
    } else {
        habits.auth.failing = 0;
    }
    kept_habits_put(&path->habits, &habits);
    record_habits(core, subject->peer, subject->direction);
}

void way_closed(struct core *core, const struct incident *incident, struct moment now)
{
    if (incident->end == END_UNSET && incident->subject.kind == SUBJECT_PATH) {
        forget(core, incident);
        return;
    }
    if (incident->kind != INCIDENT_REROUTED || incident->subject.kind != SUBJECT_PATH) {
        return;
    }
    struct path *path = path_of(core, incident->subject.peer, incident->subject.direction);
    struct habits habits;
    kept_habits_get(path->habits, &habits);
    if (finding_is_over(incident, now)) {
        route_accept(&habits.route);
    } else {
        route_restart(&habits.route);
    }
    kept_habits_put(&path->habits, &habits);
    record_habits(core, incident->subject.peer, incident->subject.direction);
}

// ---- what the receiving server found ----

static void follow_authentication(const struct arriving *of)
{
    const struct authentication *found = &of->report->trace.authentication;
    struct habits habits;
    if (!kept_habits_get(of->path->habits, &habits) && found->authserv_id[0] == '\0') {
        return;
    }
    struct auth_memory *memory = &habits.auth;
    struct incident *open = trouble_find(of->core, INCIDENT_UNAUTHENTICATED, &of->subject);
    bool let_go = auth_memory_note(memory, found, of->core->settings->incidents.close_after);
    kept_habits_put(&of->path->habits, &habits);
    if (open != NULL) {
        open->end = let_go ? END_UNTOLD : memory->failing == 0 ? open->end : END_WELL;
    }
    int method = auth_memory_turned(memory, found);
    if (method >= 0) {
        struct evidence evidence = {.has_probe = true,
                                    .probe = of->report->tag.id,
                                    .method = (enum auth_method)method,
                                    .result = found->results[method]};
        text_copy(evidence.cause, sizeof evidence.cause, found->reasons[method]);
        open_or_renew(of, INCIDENT_UNAUTHENTICATED, &evidence);
    } else if (memory->failing == 0) {
        trouble_close(of->core, INCIDENT_UNAUTHENTICATED, &of->subject, of->now);
    }
}

// ---- what the configuration asks for ----

// Whether any mailbox does: which one a path's probes come to is known only when they do.
static bool asked_for(const struct settings *settings, enum incident_kind kind)
{
    bool asked = kind != INCIDENT_UNAUTHENTICATED && kind != INCIDENT_MISPLACED;
    for (size_t i = 0; i < settings->mailbox_count && !asked; i++) {
        const struct mailbox_settings *mailbox = &settings->mailboxes[i];
        asked = kind == INCIDENT_MISPLACED ? mailbox->folder_count > 1
                                           : mailbox->authserv_id[0] != '\0';
    }
    return asked;
}

// What is open without being asked for is over. (A change of the configuration has no actions: what
// is to be forgotten is, when it closes.)
static void let_go(struct core *core, struct incident *incident, struct moment now)
{
    if (incident != NULL) {
        incident->end = END_UNSET;
        trouble_close_soon(core, incident, now);
    }
}

void way_configure(struct core *core, struct moment now)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        struct incident *incident = core->incidents.places[i];
        if (incident != NULL && incident->subject.kind == SUBJECT_PATH &&
            !asked_for(core->settings, incident->kind)) {
            let_go(core, incident, now);
        }
    }
}

// ---- where it lies ----

static void follow_placement(const struct arriving *of)
{
    const struct settings *settings = of->core->settings;
    int index = settings_find_mailbox(settings, of->report->mailbox);
    struct incident *open = trouble_find(of->core, INCIDENT_MISPLACED, &of->subject);
    if (index < 0) {
        return;
    }
    if (settings->mailboxes[index].folder_count < 2) {
        let_go(of->core, open, of->now);
        return;
    }
    bool misplaced = strcmp(of->report->folder, settings->mailboxes[index].folders[0]) != 0;
    struct habits habits;
    kept_habits_get(of->path->habits, &habits);
    struct placement *placement = &habits.placement;
    placement_note(placement, misplaced, of->window != NULL);
    kept_habits_put(&of->path->habits, &habits);
    of->core->peers[of->peer].stats.misplaced += misplaced;
    if (misplaced && placement_misplaced(placement) >= PLACEMENTS_MISPLACED) {
        struct evidence evidence = {.has_probe = true,
                                    .probe = of->report->tag.id,
                                    .late = placement_misplaced(placement),
                                    .of = placement_counted(placement)};
        text_copy(evidence.cause, sizeof evidence.cause, of->report->folder);
        open_or_renew(of, INCIDENT_MISPLACED, &evidence);
    } else if (placement_is_right(placement, settings->incidents.close_after)) {
        trouble_close(of->core, INCIDENT_MISPLACED, &of->subject, of->now);
    }
}

// ---- all of it ----

static bool same_routes(const struct routes *a, const struct routes *b)
{
    return a->count == b->count && memcmp(a->of, b->of, a->count * sizeof a->of[0]) == 0;
}

static bool same_memory(const struct route_memory *a, const struct route_memory *b)
{
    return same_routes(&a->known, &b->known) && same_routes(&a->fresh, &b->fresh) &&
           a->learned == b->learned && a->strange == b->strange && a->usual == b->usual &&
           a->expected == b->expected;
}

static bool same_habits(const struct habits *a, const struct habits *b)
{
    return same_memory(&a->route, &b->route) && memcmp(&a->auth, &b->auth, sizeof a->auth) == 0 &&
           memcmp(&a->placement, &b->placement, sizeof a->placement) == 0;
}

static void name_slowest(const struct arriving *of)
{
    struct hops hops;
    hops_measure(&of->report->trace, of->way->sent, of->way->sent_error, of->way->arrival.at,
                 of->way->arrival.error, &hops);
    struct slowest_hop slowest;
    hops_name_slowest(&of->report->trace, &hops, &slowest);
    free(of->path->last_hop);
    of->path->last_hop = NULL;
    if (slowest.to[0] != '\0') {
        of->path->last_hop = memory_checked(malloc(sizeof slowest));
        *of->path->last_hop = slowest;
    }
}

void way_arrived(struct core *core, int peer, enum direction direction,
                 const struct collect_report *report, const struct way *way, struct moment now)
{
    struct path *path = path_of(core, peer, direction);
    struct habits before, after;
    kept_habits_get(path->habits, &before);
    struct arriving arriving = {.core = core,
                                .peer = peer,
                                .subject = subject_of_path(peer, direction),
                                .path = path,
                                .report = report,
                                .way = way,
                                .now = now};
    find_windows(&arriving);
    name_slowest(&arriving);
    follow_route(&arriving);
    follow_authentication(&arriving);
    follow_placement(&arriving);
    if (kept_habits_get(path->habits, &after) && !same_habits(&before, &after)) {
        record_habits(core, peer, direction);
    }
}

bool core_habits(const struct core *core, int peer, enum direction direction, struct habits *out)
{
    const struct peer *state = &core->peers[peer];
    bool outbound = direction == OUTBOUND;
    return kept_habits_get(outbound ? state->outbound.path.habits : state->inbound.path.habits,
                           out);
}

void core_restore_habits(struct core *core, int peer, enum direction direction,
                         const struct habits *habits)
{
    kept_habits_put(&path_of(core, peer, direction)->habits, habits);
}
