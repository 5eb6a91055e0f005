#include <string.h>

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

// Its place among those that were notified, or the first free one; STATUSES_KEPT: neither.
static size_t place_of_status(const struct incident *incident)
{
    size_t place = 0;
    while (place < STATUSES_KEPT && incident->evidence.statuses[place][0] != '\0' &&
           strcmp(incident->evidence.statuses[place], incident->status) != 0) {
        place++;
    }
    return place;
}

// Another status than those that were notified: something else is wrong now. When there is no room
// for more nothing is news any longer.
static bool is_news(const struct incident *incident)
{
    size_t place = place_of_status(incident);
    return incident->notified && incident->status[0] != '\0' && place > 0 &&
           place < STATUSES_KEPT && incident->evidence.statuses[place][0] == '\0';
}

void finding_notified(struct incident *incident)
{
    size_t place = place_of_status(incident);
    if (incident->kind == INCIDENT_BOUNCED && place < STATUSES_KEPT) {
        text_copy(incident->evidence.statuses[place], BOUNCE_STATUS_SIZE, incident->status);
    }
}

// Each failure adds to the incident, which tells of the newest, and again when it is another one.
int64_t finding_bounced(struct core *core, int peer, const struct flight *bounced,
                        const struct bounce *bounce, struct moment now)
{
    struct subject subject = subject_of_path(peer, OUTBOUND);
    struct incident *open = trouble_find(core, INCIDENT_BOUNCED, &subject);
    struct evidence evidence = {.failures = 1, .has_probe = true, .probe = bounced->id};
    if (open != NULL) {
        memcpy(evidence.statuses, open->evidence.statuses, sizeof evidence.statuses);
    }
    text_copy(evidence.cause, sizeof evidence.cause, bounce->diagnostic);
    if (open == NULL) {
        open =
            trouble_open(core, INCIDENT_BOUNCED, &subject,
                         incident_rule(INCIDENT_BOUNCED)->severity, bounced->sent, &evidence, now);
    } else {
        evidence.failures = open->evidence.failures + 1;
        open->evidence = evidence;
    }
    text_copy(open->status, sizeof open->status, bounce->status);
    if (is_news(open)) {
        trouble_renew(core, open, now);
    }
    open->last = now.wall;
    trouble_record(core, open);
    return open->id;
}

bool finding_bounces(const struct core *core, int peer)
{
    struct subject subject = subject_of_path(peer, OUTBOUND);
    const struct incident *open = trouble_find(core, INCIDENT_BOUNCED, &subject);
    return open != NULL && core->peers[peer].outbound.path.last_arrival.ns <= open->last.ns;
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
