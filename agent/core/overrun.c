#include <string.h>

#include "core/server.h"
#include "core/trouble.h"

// An overrun that nobody has noticed for so long is history.
#define OVERRUN_REMEMBERED SPAN_HOURS(24)

// Our own queue must retry before mail to a server without an agent can show that it is back.
#define AGENTLESS_RETRY SPAN_MINUTES(10)

// Another window of the server is active, or ended later: that one counts.
static bool is_overtaken(const struct core *core, const struct window *window, struct moment now)
{
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *other = &core->windows.items[i];
        if (other != window && !window_void(other) && window_from(other).ns <= now.wall.ns &&
            window_until(other).ns > window_until(window).ns &&
            strcmp(other->server, window->server) == 0) {
            return true;
        }
    }
    return false;
}

// When the server must have answered: settle after the latest of the window's end, the end of our
// own windows, our own start, and the end of a stretch in which we could not see. After our start
// only its next slot shows that it is back, for the fresh probe was sent while we were not there.
static struct instant answer_due(const struct core *core, const struct window *window, int peer,
                                 struct moment now)
{
    struct instant due = moment_instant_at(now, window_until(window));
    due = instant_later(due, core->seeing_since);
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *own = &core->windows.items[i];
        if (strcmp(own->server, core->settings->server) == 0 && !window_void(own) &&
            window_from(own).ns <= now.wall.ns) {
            due = instant_later(due, moment_instant_at(now, window_until(own)));
        }
    }
    due = instant_add(due, core->settings->maintenance.settle);
    struct span slot = peer >= 0 ? core->peers[peer].inbound.sender_interval : SPAN_ZERO;
    due = instant_later(due, instant_add(core->watch_floor, slot));
    bool agentless = peer >= 0 && core->peers[peer].collect >= 0;
    return agentless ? instant_add(due, AGENTLESS_RETRY) : due;
}

static void open_overrun(struct core *core, const struct window *window, int peer,
                         struct moment now)
{
    struct subject subject = subject_of_server(peer);
    struct incident like = {.subject = subject};
    struct evidence evidence = {.in_flight = server_count_in_flight(core, &like),
                                .oldest_age = walltime_since(now.wall, window_until(window))};
    struct aftermath aftermath = {.window_kind = window->kind,
                                  .planned_end = window->end,
                                  .suppressed = server_of(core, peer)->suppressed};
    text_copy(aftermath.window, sizeof aftermath.window, window->id);
    if (peer >= 0 && core->peers[peer].collect < 0 && !core->peers[peer].greeting) {
        text_copy(evidence.cause, sizeof evidence.cause,
                  text_kept(core->peers[peer].greeting_cause));
    }
    trouble_open_after(core, INCIDENT_OVERRUN, &subject, window_until(window), &evidence,
                       &aftermath, now);
}

// Asks for the server's greeting so early that the answer is there when the overrun is due. When to
// look again.
static struct instant ask_before(struct core *core, int peer, struct instant due, struct moment now)
{
    struct span patience = span_shorter(GREETING_PATIENCE, core->settings->maintenance.settle);
    struct instant ask_at = instant_add(due, span_times(patience, -1));
    if (peer < 0 || core->peers[peer].collect >= 0) {
        return due;
    }
    if (!instant_reached(now.instant, ask_at)) {
        return ask_at;
    }
    down_ask(core, peer, instant_add(due, span_times(patience, -2)), patience, now);
    return due;
}

// Opens it when it is due, or says when to look again.
static struct instant consider(struct core *core, const struct window *window, struct moment now)
{
    int peer;
    struct walltime ended = window_until(window);
    if (window_void(window) || ended.ns > now.wall.ns ||
        walltime_since(now.wall, ended).ns > OVERRUN_REMEMBERED.ns ||
        !server_find(core, window->server, &peer) ||
        server_of(core, peer)->last_arrival.ns > ended.ns) {
        return INSTANT_NEVER;
    }
    struct subject subject = subject_of_server(peer);
    bool without_eyes = !inbound_readable(core) && (peer < 0 || core->peers[peer].collect < 0);
    if (without_eyes || core->settings->peer_count == 0 ||
        trouble_find(core, INCIDENT_OVERRUN, &subject) != NULL || is_overtaken(core, window, now)) {
        return INSTANT_NEVER;
    }
    struct instant due = answer_due(core, window, peer, now);
    struct instant next = ask_before(core, peer, due, now);
    if (!instant_reached(now.instant, due)) {
        return next;
    }
    open_overrun(core, window, peer, now);
    return INSTANT_NEVER;
}

// A window that is active again takes the place of the one that was overrun.
static void close_extended(struct core *core, const struct window *window, struct moment now)
{
    int peer;
    if (window_from(window).ns > now.wall.ns || window_until(window).ns <= now.wall.ns ||
        !server_find(core, window->server, &peer)) {
        return;
    }
    struct subject subject = subject_of_server(peer);
    struct incident *incident = trouble_find(core, INCIDENT_OVERRUN, &subject);
    if (incident != NULL && !incident->closing) {
        text_copy(incident->evidence.cause, sizeof incident->evidence.cause, OVERRUN_EXTENDED);
        trouble_close_soon(core, incident, now);
    }
}

void overrun_greeted(struct core *core, int peer, struct moment now)
{
    struct subject subject = subject_of_server(peer);
    struct incident *incident = trouble_find(core, INCIDENT_OVERRUN, &subject);
    const char *cause = text_kept(core->peers[peer].greeting_cause);
    if (incident == NULL || incident->closing || strcmp(incident->evidence.cause, cause) == 0) {
        return;
    }
    text_copy(incident->evidence.cause, sizeof incident->evidence.cause, cause);
    trouble_record(core, incident);
    if (!incident->notified) {
        trouble_set_timer(core, incident, now.instant);
    }
}

void overrun_follow(struct core *core, struct moment now)
{
    struct instant next = INSTANT_NEVER;
    for (size_t i = 0; i < core->windows.count; i++) {
        if (!core_may_act(core)) {
            next = now.instant;
            break;
        }
        close_extended(core, &core->windows.items[i], now);
        next = instant_earlier(next, consider(core, &core->windows.items[i], now));
    }
    schedule_set(&core->own_timers, OWN_OVERRUN, next);
}
