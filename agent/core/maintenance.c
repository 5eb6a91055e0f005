#include <string.h>

#include "core/drain.h"
#include "core/server.h"
#include "core/trouble.h"

static void say(struct core *core, const struct window *window, enum window_transition transition)
{
    struct action *action = core_act(core, ACTION_WINDOW);
    action->window.window = *window;
    action->window.transition = transition;
}

// Every path that the server is on, or all when it is ours.
static void each_path_of(struct core *core, const char *server,
                         void (*visit)(struct core *core, int peer, struct moment now),
                         struct moment now)
{
    bool own = strcmp(server, core->settings->server) == 0;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        if (own || strcmp(server, core->settings->peers[i].name) == 0) {
            visit(core, (int)i, now);
        }
    }
}

static void watch_anew(struct core *core, int peer, struct moment now)
{
    core_set_timer(core, peer, TIMER_SILENCE, now.instant);
}

static void send_fresh(struct core *core, int peer, struct moment now)
{
    outbound_resume(core, peer, now);
    outbound_owe(core, peer, PROBE_FRESH, now);
}

// What went wrong inside the window is not held against anyone after it.
static void forget_evidence(struct core *core, int peer, struct moment now)
{
    struct peer *state = &core->peers[peer];
    state->outbound.refused_in_a_row = 0;
    decisions_restart(&state->outbound.path.decisions);
    decisions_restart(&state->inbound.path.decisions);
    watch_anew(core, peer, now);
}

// What waits for the server, and what has been held back because of it, is counted from here on.
static void count_anew(struct core *core, const struct window *window)
{
    int peer;
    if (server_find(core, window->server, &peer)) {
        server_of(core, peer)->suppressed = 0;
        drain_begin_window(core, peer, window);
    }
}

static void settle_drain(struct core *core, const struct window *window, struct moment now)
{
    int peer;
    if (server_find(core, window->server, &peer)) {
        drain_settle(core, peer, now);
    }
}

static void enter_stage(struct core *core, const struct window *window, struct moment now)
{
    switch (window->stage) {
    case STAGE_ANNOUNCED:
        break;
    case STAGE_BEGUN:
        say(core, window, WINDOW_BEGINS);
        count_anew(core, window);
        each_path_of(core, window->server, watch_anew, now);
        break;
    case STAGE_ENDED:
        say(core, window, WINDOW_ENDS);
        settle_drain(core, window, now);
        each_path_of(core, window->server, send_fresh, now);
        break;
    case STAGE_SETTLED:
        if (windows_suppressing(&core->windows, window->server, now.wall,
                                core->settings->maintenance.settle) == NULL) {
            each_path_of(core, window->server, forget_evidence, now);
            trouble_judge_anew(core, window->server, now);
        }
        break;
    }
}

// One stage after the other, so that each is said even when several passed unseen.
static void follow_window(struct core *core, struct window *window, struct moment now)
{
    enum window_stage target =
        window_stage_at(window, now.wall, core->settings->maintenance.settle);
    if (window_void(window)) {
        window->stage = STAGE_SETTLED; // cancelled before it began
    }
    if (target == STAGE_BEGUN && window->stage > STAGE_BEGUN) {
        window->stage = STAGE_BEGUN; // extended after its end: what waits is counted on
        say(core, window, WINDOW_BEGINS);
    }
    while (window->stage < target && core_may_act(core)) {
        window->stage++;
        enter_stage(core, window, now);
    }
}

// When the next stage of any window is due.
static void schedule_windows(struct core *core, struct moment now)
{
    struct walltime next = {INT64_MAX};
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        struct walltime settled =
            walltime_add(window_until(window), core->settings->maintenance.settle);
        const struct walltime due[] = {[STAGE_ANNOUNCED] = window_from(window),
                                       [STAGE_BEGUN] = window_until(window),
                                       [STAGE_ENDED] = settled};
        if (window->stage < STAGE_SETTLED) {
            next = walltime_earlier(next, due[window->stage]);
        }
    }
    core->window_due = next.ns == INT64_MAX ? INSTANT_NEVER : moment_instant_at(now, next);
}

// What ended before this touches nothing that is still in flight or kept.
static struct walltime forgotten_before(const struct core *core, struct moment now)
{
    struct span kept = span_add(core->settings->retention, core->settings->maintenance.recovery);
    struct walltime before = walltime_subtract(now.wall, kept);
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        const struct flights *flights = &core->peers[i].outbound.flights;
        if (flights->count > 0) {
            before = walltime_earlier(before, flights->items[0].sent);
        }
    }
    return before;
}

void maintenance_follow(struct core *core, struct moment now)
{
    for (size_t i = 0; i < core->windows.count; i++) {
        follow_window(core, &core->windows.items[i], now);
    }
    size_t count = core->windows.count;
    windows_forget(&core->windows, forgotten_before(core, now));
    if (core->windows.count < count) {
        courier_forget(core);
    }
    schedule_windows(core, now);
    schedule_set(&core->own_timers, OWN_OVERRUN, now.instant);
}

bool maintenance_learn(struct core *core, const struct window *window, struct moment now)
{
    bool known = windows_find(&core->windows, window->id) != NULL;
    if (!known && core->windows.count == WINDOWS_MAXIMUM) {
        windows_forget_over(&core->windows, now.wall, core->settings->maintenance.recovery);
        courier_forget(core);
    }
    struct window *put = windows_put(&core->windows, window);
    if (put != NULL) {
        enum window_stage stage =
            window_stage_at(put, now.wall, core->settings->maintenance.settle);
        if (!known && stage == STAGE_SETTLED) {
            put->stage = stage; // heard of too late: its begin and end are no news
        }
        say(core, put, WINDOW_CHANGED);
        each_path_of(core, put->server, watch_anew, now);
        core->window_due = now.instant;
    }
    return put != NULL;
}

void maintenance_put(struct core *core, const struct window *window, struct moment now)
{
    if (maintenance_learn(core, window, now)) {
        courier_send(core, now);
    }
}
