#include "core/drain.h"

#include <string.h>

#include "core/server.h"
#include "core/trouble.h"

static void begin(struct core *core, int peer, struct walltime from)
{
    struct drain *drain = &server_of(core, peer)->drain;
    if (!drain->open) {
        *drain = (struct drain){.open = true, .from = from};
    }
    drain->until = WALLTIME_NONE;
}

void drain_begin_window(struct core *core, int peer, const struct window *window)
{
    begin(core, peer, window_from(window));
    struct drain *drain = &server_of(core, peer)->drain;
    text_copy(drain->window, sizeof drain->window, window->id);
}

void drain_begin_outage(struct core *core, int peer, const struct incident *incident)
{
    struct drain *drain = &server_of(core, peer)->drain;
    begin(core, peer, incident->began);
    if (incident->aftermath.window[0] != '\0') {
        text_copy(drain->window, sizeof drain->window, incident->aftermath.window);
    }
    drain->incident = drain->incident == 0 ? incident->id : drain->incident;
}

// Something still keeps mail to the server waiting.
static bool goes_on(const struct core *core, int peer, struct moment now)
{
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        if (window_from(window).ns <= now.wall.ns && window_until(window).ns > now.wall.ns &&
            strcmp(window->server, server_name(core, peer)) == 0) {
            return true;
        }
    }
    struct subject server = subject_of_server(peer), path = subject_of_path(peer, OUTBOUND);
    return trouble_find(core, INCIDENT_OVERRUN, &server) != NULL ||
           trouble_find(core, INCIDENT_DOWN, &server) != NULL ||
           trouble_find(core, INCIDENT_ISOLATED, &server) != NULL ||
           (peer >= 0 && trouble_find(core, INCIDENT_SILENT, &path) != NULL);
}

static void schedule_check(struct core *core, int peer, struct instant due)
{
    if (peer >= 0) {
        core_set_timer(core, peer, TIMER_DRAIN, due);
    } else {
        schedule_set(&core->own_timers, OWN_DRAIN, due);
    }
}

void drain_settle(struct core *core, int peer, struct moment now)
{
    struct drain *drain = &server_of(core, peer)->drain;
    if (drain->open && !walltime_known(drain->until) && !goes_on(core, peer, now)) {
        drain->until = now.wall;
        schedule_check(core, peer, now.instant);
    }
}

// Its life touches what was waited for. What had been on its way for long before waited for
// something else.
static bool waits(const struct core *core, const struct drain *drain, int peer,
                  struct walltime sent)
{
    const struct peer *state = &core->peers[peer];
    struct span limit = path_silence_limit(state, state->settings->path.interval);
    bool before_end = !walltime_known(drain->until) || sent.ns < drain->until.ns;
    return before_end && walltime_since(drain->from, sent).ns <= limit.ns;
}

// What of ours is still on its way to the server and waited: how many, the oldest, until when an
// incident explains that one of them has not come, and whether we know that it has not.
struct waiting {
    unsigned count;
    const struct flight *oldest;
    struct walltime explained;
    bool unknown;
};

static struct walltime explained_until(const struct path *path, struct walltime sent,
                                       struct span recovery, struct moment now)
{
    struct walltime until = WALLTIME_NONE;
    for (size_t i = 0; i < TROUBLES_KEPT && i < path->trouble_count; i++) {
        const struct verdict_trouble *trouble = &path->troubles[i];
        struct walltime closed = walltime_known(trouble->closed) ? trouble->closed : now.wall;
        if (sent.ns <= closed.ns) {
            until = walltime_later(until, walltime_add(closed, recovery));
        }
    }
    return until;
}

// The peer has not told us yet of everything that had arrived when recovery was over.
static bool is_unknown(const struct peer *peer, const struct drain *drain, struct span recovery)
{
    return peer->collect < 0 &&
           peer->outbound.receipts_complete.ns < walltime_add(drain->until, recovery).ns;
}

static struct waiting find_waiting(const struct core *core, const struct drain *drain, int server,
                                   struct moment now)
{
    struct waiting waiting = {0};
    struct span recovery = core->settings->maintenance.recovery;
    size_t first, last;
    server_peers(core, server, &first, &last);
    for (size_t peer = first; peer < last; peer++) {
        const struct outbound *outbound = &core->peers[peer].outbound;
        const struct flights *flights = &outbound->flights;
        for (size_t i = 0; i < flights->count; i++) {
            const struct flight *flight = &flights->items[i];
            if (flight_uncertain(flight) || !waits(core, drain, (int)peer, flight->sent)) {
                continue;
            }
            bool older = waiting.count == 0 || flight->sent.ns < waiting.oldest->sent.ns;
            waiting.oldest = older ? flight : waiting.oldest;
            waiting.explained = walltime_later(
                waiting.explained, explained_until(&outbound->path, flight->sent, recovery, now));
            waiting.unknown = waiting.unknown || is_unknown(&core->peers[peer], drain, recovery);
            waiting.count++;
        }
    }
    return waiting;
}

void drain_arrived(struct core *core, int peer, const struct probe_record *record,
                   struct moment now)
{
    const int servers[] = {peer, OWN_SERVER};
    for (int i = 0; i < 2; i++) {
        struct drain *drain = &server_of(core, servers[i])->drain;
        if (drain->open && record->verdict != VERDICT_ON_TIME &&
            record->arrived.ns >= drain->from.ns && waits(core, drain, peer, record->sent)) {
            drain->arrived++;
            drain->longest = span_longer(drain->longest, record->latency);
        }
        if (walltime_known(drain->until) && drain->open) {
            schedule_check(core, servers[i], now.instant); // after all that this message tells
        }
        stuck_check(core, servers[i], now);
    }
}

void drain_lost(struct core *core, int peer, struct walltime sent, struct moment now)
{
    const int servers[] = {peer, OWN_SERVER};
    for (int i = 0; i < 2; i++) {
        struct drain *drain = &server_of(core, servers[i])->drain;
        if (drain->open && waits(core, drain, peer, sent)) {
            drain->lost++;
            schedule_check(core, servers[i], now.instant);
        }
        stuck_check(core, servers[i], now);
    }
}

static void say(struct core *core, int peer, unsigned in_flight)
{
    const struct drain *drain = &server_of(core, peer)->drain;
    struct drained *drained = &core_act(core, ACTION_SAY_DRAINED)->drained;
    *drained = (struct drained){.incident = drain->incident,
                                .arrived = drain->arrived,
                                .lost = drain->lost,
                                .in_flight = in_flight,
                                .longest = drain->longest};
    text_copy(drained->server, sizeof drained->server, server_name(core, peer));
    text_copy(drained->window, sizeof drained->window, drain->window);
}

void drain_check(struct core *core, int peer, struct moment now)
{
    struct drain *drain = &server_of(core, peer)->drain;
    if (!drain->open || !walltime_known(drain->until)) {
        return;
    }
    struct waiting waiting = find_waiting(core, drain, peer, now);
    struct walltime over = walltime_add(drain->until, core->settings->maintenance.recovery);
    over = walltime_later(over, waiting.explained);
    if (waiting.unknown) {
        over = walltime_later(over, walltime_add(now.wall, SPAN_MINUTES(5)));
    }
    if (waiting.count > 0 && now.wall.ns < over.ns) {
        schedule_check(core, peer, moment_instant_at(now, over));
        return;
    }
    if (drain->arrived + drain->lost + waiting.count > 0) {
        say(core, peer, waiting.count);
    }
    if (waiting.count > 0) {
        stuck_open(core, peer, drain->until, waiting.count, waiting.oldest, now);
    }
    drain->open = false;
}

static void restore_window(struct core *core, const struct window *window, struct moment now)
{
    int peer;
    if (window_from(window).ns > now.wall.ns || window_void(window) ||
        window_state_at(window, now.wall, core->settings->maintenance.recovery) == WINDOW_OVER ||
        !server_find(core, window->server, &peer)) {
        return;
    }
    struct drain *drain = &server_of(core, peer)->drain;
    struct walltime until = drain->until;
    drain_begin_window(core, peer, window);
    if (!goes_on(core, peer, now)) {
        drain->until = walltime_later(until, window_until(window));
    }
}

void drain_restore_outage(struct core *core, const struct incident *incident)
{
    int peer = incident->subject.peer;
    drain_begin_outage(core, peer, incident);
    struct drain *drain = &server_of(core, peer)->drain;
    drain->until = incident->closed;
    drain->arrived = incident->aftermath.drained;
    drain->longest = incident->aftermath.longest;
}

// What is over and has nothing left to wait for has been said.
static void drop_complete(struct core *core, int peer, struct moment now)
{
    struct drain *drain = &server_of(core, peer)->drain;
    if (drain->open && walltime_known(drain->until)) {
        drain->open = find_waiting(core, drain, peer, now).count > 0;
    }
}

void drain_restore(struct core *core, struct moment now)
{
    for (size_t i = 0; i < core->windows.count; i++) {
        restore_window(core, &core->windows.items[i], now);
    }
    for (size_t i = 0; i < core->incidents.count; i++) {
        const struct incident *incident = core->incidents.places[i];
        if (incident != NULL && !incident->closing &&
            (incident->kind == INCIDENT_OVERRUN || incident->kind == INCIDENT_DOWN ||
             incident->kind == INCIDENT_ISOLATED)) {
            drain_begin_outage(core, incident->subject.peer, incident);
        }
    }
    drop_complete(core, OWN_SERVER, now);
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        drop_complete(core, (int)i, now);
    }
}
