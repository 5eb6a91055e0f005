#include "core/server.h"
#include "core/trouble.h"

// What an overrun says then.
#define GREETED "its mail server greets: its agent, or the mail on the way, is what is missing"

static const struct incident *silence_of(const struct core *core, int peer)
{
    struct subject inbound = subject_of_path(peer, INBOUND);
    return trouble_find(core, INCIDENT_SILENT, &inbound);
}

// Another agent's row, so long after it began that it speaks of what came since.
static bool is_vouched_for(const struct core *core, int peer, const struct incident *silent,
                           struct moment now)
{
    int witness = core_witness(core, peer, now);
    struct span old = witness_memory(core, peer);
    return witness >= 0 && instant_reached(core->peers[witness].row_at,
                                           instant_add(moment_instant_at(now, silent->began), old));
}

// Mail passes through the server, say its receipts, its agent's exchange or another agent.
static bool is_witnessed(const struct core *core, int peer, const struct incident *silent,
                         struct moment now)
{
    const struct peer *state = &core->peers[peer];
    return is_vouched_for(core, peer, silent, now) ||
           state->outbound.path.last_arrival.ns > silent->began.ns ||
           state->exchange.exchanged.ns > silent->began.ns;
}

static bool is_open(const struct core *core, enum incident_kind kind, int peer)
{
    struct subject server = subject_of_server(peer);
    return trouble_find(core, kind, &server) != NULL;
}

static struct instant ask_again(const struct core *core, int peer, struct moment now)
{
    struct span interval = core->peers[peer].settings->path.interval;
    return instant_add(now.instant, span_longer(interval, SPAN_MINUTES(1)));
}

static void ask(struct core *core, int peer, struct span patience, struct moment now)
{
    struct peer *state = &core->peers[peer];
    core_act(core, ACTION_GREET)->peer = peer;
    state->greeting = true;
    state->greeting_asked = now.instant;
    state->greeting_patience = patience;
    core_set_timer(core, peer, TIMER_GREET, instant_add(now.instant, patience));
}

void down_ask(struct core *core, int peer, struct instant since, struct span patience,
              struct moment now)
{
    const struct peer *state = &core->peers[peer];
    if (!state->greeting && !instant_reached(state->greeting_asked, since)) {
        ask(core, peer, patience, now);
    }
}

static void give_up(struct core *core, int peer, struct moment now)
{
    char words[INCIDENT_CAUSE_SIZE];
    struct text cause = TEXT_OVER(words);
    text_append(&cause, "no greeting within ");
    span_append(core->peers[peer].greeting_patience, &cause);
    down_greeted(core, peer, false, words, now);
}

void down_watch(struct core *core, int peer, struct moment now)
{
    struct peer *state = &core->peers[peer];
    const struct incident *silent = silence_of(core, peer);
    struct instant until = instant_add(state->greeting_asked, state->greeting_patience);
    if (state->greeting && instant_reached(now.instant, until)) {
        give_up(core, peer, now);
    } else if (state->greeting) {
        core_set_timer(core, peer, TIMER_GREET, until);
    } else if (silent == NULL || state->collect >= 0 || is_open(core, INCIDENT_DOWN, peer)) {
        core_set_timer(core, peer, TIMER_GREET, INSTANT_NEVER);
    } else if (is_witnessed(core, peer, silent, now)) {
        core_set_timer(core, peer, TIMER_GREET, ask_again(core, peer, now));
    } else {
        ask(core, peer, GREETING_PATIENCE, now);
    }
}

void down_greeted(struct core *core, int peer, bool greeted, const char *cause, struct moment now)
{
    struct peer *state = &core->peers[peer];
    const struct incident *silent = silence_of(core, peer);
    if (!state->greeting) {
        return;
    }
    state->greeting = false;
    text_keep(&state->greeting_cause, EXCHANGE_CAUSE_SIZE, greeted ? GREETED : cause);
    overrun_greeted(core, peer, now);
    enum incident_kind kind = greeted ? INCIDENT_UNHEARD : INCIDENT_DOWN;
    if (silent != NULL && !is_witnessed(core, peer, silent, now) && !is_open(core, kind, peer)) {
        struct subject subject = subject_of_server(peer);
        struct evidence evidence = {
            .oldest_age = span_add(silent->evidence.oldest_age,
                                   instant_since(now.instant, silent->opened_at)),
            .in_flight = (unsigned)state->outbound.flights.count,
        };
        text_copy(evidence.cause, sizeof evidence.cause, greeted ? "" : cause);
        trouble_open(core, kind, &subject, incident_rule(kind)->severity, silent->began, &evidence,
                     now);
    }
    core_set_timer(core, peer, TIMER_GREET, ask_again(core, peer, now));
}

bool down_is_refuted(const struct core *core, const struct incident *incident, struct moment now)
{
    bool outage = incident->kind == INCIDENT_DOWN || incident->kind == INCIDENT_UNHEARD;
    if (!outage || incident->notified || incident->subject.peer == OWN_SERVER) {
        return false;
    }
    const struct incident *silent = silence_of(core, incident->subject.peer);
    return silent != NULL && is_vouched_for(core, incident->subject.peer, silent, now);
}

bool down_asks(const struct core *core, const struct incident *incident)
{
    bool silent = incident->kind == INCIDENT_SILENT && incident->subject.direction == INBOUND;
    bool overrun = incident->kind == INCIDENT_OVERRUN && !incident->notified;
    return (silent || overrun) && incident->subject.peer >= 0 &&
           core->peers[incident->subject.peer].greeting;
}
