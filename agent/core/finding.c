#include "core/server.h"
#include "core/trouble.h"

void finding_lost(struct core *core, int peer, const struct flight *lost, struct moment now)
{
    struct subject subject = subject_of_path(peer, OUTBOUND);
    struct incident *open = trouble_find(core, INCIDENT_LOST, &subject);
    struct evidence evidence = {.failures = 1,
                                .oldest_age = walltime_since(now.wall, lost->sent),
                                .has_probe = true,
                                .probe = lost->id};
    if (open == NULL) {
        struct aftermath aftermath = {.lost = 1};
        open = trouble_open_after(core, INCIDENT_LOST, &subject, lost->sent, &evidence, &aftermath,
                                  now);
    } else {
        evidence.failures = open->evidence.failures + 1;
        open->evidence = evidence;
        open->aftermath.lost++;
    }
    open->last = now.wall;
    trouble_record(core, open);
}

void finding_forged(struct core *core, struct moment now)
{
    struct subject subject = subject_of_server(OWN_SERVER);
    struct incident *open = trouble_find(core, INCIDENT_FORGED, &subject);
    if (open == NULL) {
        struct evidence evidence = {.failures = 1};
        open = trouble_open(core, INCIDENT_FORGED, &subject,
                            incident_rule(INCIDENT_FORGED)->severity, now.wall, &evidence, now);
    } else {
        open->evidence.failures++;
    }
    open->last = now.wall;
}

bool finding_is_over(const struct incident *incident, struct moment now)
{
    struct span kept = incident_rule(incident->kind)->kept;
    return kept.ns > 0 && walltime_since(now.wall, incident->last).ns >= kept.ns;
}

// A probe cannot arrive before it is sent.
static bool is_negative(const struct path *path)
{
    return span_add(path->last_latency, path->last_error).ns < 0;
}

// Mail both ways tells how the two clocks differ; as long as it has come one way only, all that may
// be known is that one of them is wrong.
static bool clocks_differ(const struct peer *peer)
{
    struct clock_estimate clock = clock_relation_estimate(&peer->clock);
    struct span apart = span_subtract(span_magnitude(clock.offset), clock.error);
    return clock.known ? apart.ns > CLOCK_STEP_LEAST.ns
                       : is_negative(&peer->outbound.path) || is_negative(&peer->inbound.path);
}

// Mail that waited leaves so much open that the clocks may still be as far apart as was found.
static bool may_still_differ(const struct core *core, int peer)
{
    struct subject subject = subject_of_server(peer);
    const struct incident *open = trouble_find(core, INCIDENT_CLOCK, &subject);
    struct clock_estimate clock = clock_relation_estimate(&core->peers[peer].clock);
    if (open == NULL || !clock.known) {
        return open != NULL && core->peers[peer].clock.step.ns > 0;
    }
    int64_t beside = open->evidence.latency.ns - clock.offset.ns;
    return (beside < 0 ? -beside : beside) <= clock.error.ns;
}

// How far the peer's clock is ahead of ours, or at least is.
static struct evidence clock_evidence(const struct peer *peer)
{
    const struct path *in = &peer->inbound.path, *out = &peer->outbound.path;
    struct clock_estimate clock = clock_relation_estimate(&peer->clock);
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

static void open_clock(struct core *core, int peer, const struct probe_record *record,
                       struct moment now)
{
    struct subject subject = subject_of_server(peer);
    struct incident *open = trouble_find(core, INCIDENT_CLOCK, &subject);
    struct evidence evidence = clock_evidence(&core->peers[peer]);
    if (open == NULL) {
        open = trouble_open(core, INCIDENT_CLOCK, &subject, incident_rule(INCIDENT_CLOCK)->severity,
                            record->arrived, &evidence, now);
    }
    open->evidence = evidence;
    open->last = now.wall;
}

void finding_clock(struct core *core, int peer, const struct probe_record *record,
                   struct moment now)
{
    struct peer *state = &core->peers[peer];
    bool wrong = clocks_differ(state);
    state->sound = wrong ? 0 : state->sound + 1;
    if (wrong) {
        open_clock(core, peer, record, now);
    } else if (state->sound >= core->settings->incidents.close_after &&
               !may_still_differ(core, peer)) {
        struct subject subject = subject_of_server(peer);
        trouble_close(core, INCIDENT_CLOCK, &subject, now);
    }
}
