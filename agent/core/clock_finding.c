// Clocks that are wrong: a peer's, as far as can be seen from here, or our own, when most of the
// peers' differ from it in the same direction.
#include "core/server.h"
#include "core/trouble.h"

#define GATHERED_AFTER SPAN_SECONDS(1) // every arrival looks; all peers are counted once in this
#define LOOK_AGAIN     SPAN_MINUTES(1) // peers come and go, and become known

// A probe cannot arrive before it is sent.
static bool is_negative(const struct path *path)
{
    return span_add(path->last_latency, path->last_error).ns < 0;
}

// Mail both ways, or an exchange, tells how the two clocks differ; as long as mail has come one way
// only, all that may be known is that one of them is wrong.
static bool clocks_differ(const struct core *core, int index, struct moment now)
{
    const struct peer *peer = &core->peers[index];
    struct clock_estimate clock = core_clock(core, index, now);
    struct span apart = span_subtract(span_magnitude(clock.offset), clock.error);
    return clock.known ? apart.ns > CLOCK_STEP_LEAST.ns
                       : is_negative(&peer->outbound.path) || is_negative(&peer->inbound.path);
}

static struct incident *find(const struct core *core, int peer)
{
    struct subject subject = subject_of_server(peer);
    return trouble_find(core, INCIDENT_CLOCK, &subject);
}

// Mail that waited leaves so much open that the clocks may still be as far apart as was found.
static bool may_still_differ(const struct core *core, int peer, struct moment now)
{
    const struct incident *open = find(core, peer);
    struct clock_estimate clock = core_clock(core, peer, now);
    if (open == NULL || !clock.known) {
        return open != NULL && core->peers[peer].clock.step.ns > 0;
    }
    struct span beside = span_magnitude(span_subtract(open->evidence.latency, clock.offset));
    return beside.ns <= clock.error.ns;
}

// How far the peer's clock is ahead of ours, or at least is.
static struct evidence evidence_of(const struct core *core, int index, struct moment now)
{
    const struct peer *peer = &core->peers[index];
    const struct path *in = &peer->inbound.path, *out = &peer->outbound.path;
    struct clock_estimate clock = core_clock(core, index, now);
    if (clock.known) {
        return (struct evidence){.latency = clock.offset, .threshold = clock.error};
    }
    struct evidence evidence = {.latency = out->last_latency, .threshold = out->last_error};
    if (is_negative(in)) {
        evidence = (struct evidence){.latency = span_magnitude(in->last_latency),
                                     .threshold = in->last_error};
    }
    text_copy(evidence.cause, sizeof evidence.cause, "negative latency");
    return evidence;
}

static void open_or_renew(struct core *core, int peer, const struct evidence *evidence,
                          struct walltime at, struct moment now)
{
    struct subject subject = subject_of_server(peer);
    struct incident *open = find(core, peer);
    if (open == NULL) {
        open = trouble_open(core, INCIDENT_CLOCK, &subject, incident_rule(INCIDENT_CLOCK)->severity,
                            at, evidence, now);
    }
    open->evidence = *evidence;
    open->last = now.wall;
}

static void gather(struct core *core, struct moment now)
{
    struct instant due = instant_add(now.instant, GATHERED_AFTER);
    schedule_set(&core->own_timers, OWN_CLOCK, due);
}

void clock_finding_look(struct core *core, int peer, struct walltime at, struct moment now)
{
    struct peer *state = &core->peers[peer];
    bool was_open = find(core, peer) != NULL;
    bool wrong = clocks_differ(core, peer, now);
    state->sound = wrong ? 0 : state->sound + 1;
    if (wrong) {
        struct evidence evidence = evidence_of(core, peer, now);
        open_or_renew(core, peer, &evidence, at, now);
    } else if (state->sound >= core->settings->incidents.close_after &&
               !may_still_differ(core, peer, now)) {
        struct subject subject = subject_of_server(peer);
        trouble_close(core, INCIDENT_CLOCK, &subject, now);
    }
    if (was_open != (find(core, peer) != NULL)) {
        gather(core, now);
    }
}

// ---- our own ----

// Peers whose clock is known, and those of them that are ahead of ours, or behind it.
struct poll {
    unsigned known;
    unsigned ahead;
    unsigned behind;
    int closest[2]; // of those behind, ahead: the one known best
};

static void count(struct poll *poll, const struct core *core, int peer, struct moment now)
{
    struct clock_estimate clock = core_clock(core, peer, now);
    poll->known += clock.known;
    if (!clock.known || find(core, peer) == NULL) {
        return;
    }
    bool ahead = clock.offset.ns > 0;
    unsigned *of = ahead ? &poll->ahead : &poll->behind;
    int *closest = &poll->closest[ahead];
    if (*of == 0 || clock.error.ns < core_clock(core, *closest, now).error.ns) {
        *closest = peer;
    }
    ++*of;
}

// At least two and 60 % of them say the same of ours.
static bool is_majority(unsigned of, unsigned known)
{
    return of >= 2 && of * 10 >= known * 6;
}

void clock_finding_follow(struct core *core, struct moment now)
{
    struct poll poll = {0};
    struct subject own = subject_of_server(OWN_SERVER);
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        count(&poll, core, (int)i, now);
    }
    unsigned most = poll.ahead > poll.behind ? poll.ahead : poll.behind;
    if (is_majority(most, poll.known)) {
        struct clock_estimate clock = core_clock(core, poll.closest[poll.ahead == most], now);
        struct evidence evidence = {.latency = span_subtract(SPAN_ZERO, clock.offset),
                                    .threshold = clock.error};
        struct text cause = TEXT_OVER(evidence.cause);
        text_format(&cause, "%u of %u peers say so", most, poll.known);
        open_or_renew(core, OWN_SERVER, &evidence, now.wall, now);
    } else if (poll.known > 0) {
        trouble_close(core, INCIDENT_CLOCK, &own, now);
    }
    if (find(core, OWN_SERVER) != NULL) {
        schedule_set(&core->own_timers, OWN_CLOCK, instant_add(now.instant, LOOK_AGAIN));
    }
}
