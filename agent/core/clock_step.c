// Our own clock has stepped: everything that was read off it before is put into its new reading, so
// that what is compared from here on has been read off one clock.
#include "core/clock_offset.h"
#include "core/state.h"

static void move(struct walltime *at, struct span step)
{
    if (walltime_known(*at)) {
        *at = walltime_add(*at, step);
    }
}

static void move_flaps(struct flap_history *flaps, struct span step)
{
    for (int kind = 0; flaps != NULL && kind < INCIDENTS; kind++) {
        for (int i = 0; i < FLAP_TURNS - 1; i++) {
            move(&flaps->opened[kind][i], step);
        }
    }
}

static void move_server(struct server_state *server, struct span step)
{
    move(&server->last_arrival, step);
    move(&server->drain.from, step);
    move(&server->drain.until, step);
    move_flaps(server->flaps, step);
}

static void move_path(struct path *path, struct span step)
{
    move_flaps(path->flaps, step);
    move(&path->cohort.first_sent, step);
    move(&path->cohort.last_sent, step);
    move(&path->cohort.arrived, step);
    move(&path->last_sent, step);
    move(&path->last_arrival, step);
    move(&path->decided, step);
    for (size_t i = 0; i < TROUBLES_KEPT && i < path->trouble_count; i++) {
        move(&path->troubles[i].began, step);
        move(&path->troubles[i].closed, step);
        move(&path->troubles[i].over, step);
    }
    for (size_t i = 0; i < RESUMPTIONS_KEPT && i < path->resumption_count; i++) {
        move(&path->resumptions[i].at, step); // its end is the window's name here
    }
    decisions_step(&path->decisions, step);
}

static void move_peer(struct core *core, int index, struct span step, struct moment now)
{
    struct peer *peer = &core->peers[index];
    move_path(&peer->outbound.path, step);
    move_path(&peer->inbound.path, step);
    move_server(&peer->server, step);
    for (size_t i = 0; i < peer->outbound.flights.count; i++) {
        struct flight *flight = &peer->outbound.flights.items[i];
        bool uncertain = flight_uncertain(flight);
        move(&flight->sent, step);
        flight_mark(flight, uncertain);
    }
    for (size_t i = 0; i < peer->outbound.sending_count; i++) {
        move(&peer->outbound.sending[i].planned, step);
    }
    for (size_t i = 0; i < LOST_KEPT && i < peer->outbound.lost_count; i++) {
        move(&peer->outbound.lost[i].sent, step);
    }
    struct span ahead = span_longer(step, SPAN_ZERO); // what the peer has seen, it says as it was
    for (size_t i = 0; i < peer->inbound.unseen_count; i++) {
        move(&peer->inbound.unseen[i].place, ahead);
        move(&peer->inbound.unseen[i].receipt.arrived, step);
    }
    move(&peer->inbound.seen_by_peer, ahead);
    if (step.ns < 0) { // it may say yet that it has seen what it was told by the clock that is gone
        peer->inbound.seen_by_peer =
            walltime_later(peer->inbound.seen_by_peer, core_collected(core));
    }
    move(&peer->outbound.receipts_as_of, step);
    move(&peer->outbound.receipts_complete, step);
    move(&peer->outbound.refused_since, step);
    move(&peer->told.mailed, step);
    move(&peer->told.mailed_first, step);
    move(&peer->exchange.asked, step);
    move(&peer->exchange.exchanged, step);
    move(&peer->heard, step);
    move(&peer->looped, step);
    clock_relation_step(&peer->clock, step);
    fate_watch_loss(core, index, now);
}

static void move_incidents(struct core *core, struct span step)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        struct incident *incident = core->incidents.places[i];
        if (incident != NULL) {
            move(&incident->began, step);
            move(&incident->opened, step);
            move(&incident->notified_at, step);
            move(&incident->aftermath.resumed[OUTBOUND], step);
            move(&incident->aftermath.resumed[INBOUND], step);
        }
    }
}

// Until it has settled it counts, over a restart too.
static void hold_window(struct core *core, struct window *window, struct span step)
{
    window_step(window, step);
    bool counts = window->stage == STAGE_BEGUN || window->stage == STAGE_ENDED;
    if (counts && core_may_act(core)) {
        struct action *action = core_act(core, ACTION_WINDOW);
        action->window.window = *window;
        action->window.transition = WINDOW_HELD;
    }
}

// A peer notices when it has seen both ways since: a probe of ours, and a receipt in the next.
static struct span noticed_after(const struct core *core)
{
    struct span longest = SPAN_ZERO;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        longest = span_longer(longest, core->settings->peers[i].path.interval);
        longest = span_longer(longest, core->peers[i].inbound.sender_interval);
    }
    return span_add(core->settings->maintenance.settle, span_times(longest, 3));
}

struct span clock_step_error(const struct core *core, int peer, struct moment now)
{
    bool said = !instant_reached(now.instant, core->stepped_until);
    return span_longer(core->peers[peer].clock.step, said ? core->stepped : SPAN_ZERO);
}

void clock_step_notice(struct core *core, struct moment now)
{
    struct span wall = walltime_since(now.wall, core->last.wall);
    struct span step = span_subtract(wall, instant_since(now.instant, core->last.instant));
    if (step.ns <= CLOCK_STEP_LEAST.ns && step.ns >= -CLOCK_STEP_LEAST.ns) {
        return;
    }
    core_act(core, ACTION_SAY_CLOCK)->clock_step = step;
    core->stepped = span_magnitude(step);
    core->stepped_until = instant_add(now.instant, noticed_after(core));
    for (size_t i = 0; i < core->windows.count; i++) {
        hold_window(core, &core->windows.items[i], step);
    }
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        move_peer(core, (int)i, step, now);
    }
    for (size_t i = 0; i < core->settings->mailbox_count; i++) {
        move(&core->mailboxes[i].complete, step);
    }
    move_incidents(core, step);
    move_server(&core->own, step);
    move(&core->announced, step);
    core->watch_floor = instant_add(now.instant, core->settings->maintenance.settle);
    core->window_due = now.instant;
}
