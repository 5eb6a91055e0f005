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

// Whether this status is the first of its kind after others: something else is wrong now. When
// there is no room for more nothing is news any longer.
static bool note_status(struct evidence *evidence, const char *status)
{
    size_t place = 0;
    while (place < STATUSES_KEPT && evidence->statuses[place][0] != '\0' &&
           strcmp(evidence->statuses[place], status) != 0) {
        place++;
    }
    if (status[0] == '\0' || place == STATUSES_KEPT || evidence->statuses[place][0] != '\0') {
        return false;
    }
    text_copy(evidence->statuses[place], BOUNCE_STATUS_SIZE, status);
    return place > 0;
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
    bool news = note_status(&evidence, bounce->status);
    text_copy(evidence.cause, sizeof evidence.cause, bounce->diagnostic);
    if (open == NULL) {
        open =
            trouble_open(core, INCIDENT_BOUNCED, &subject,
                         incident_rule(INCIDENT_BOUNCED)->severity, bounced->sent, &evidence, now);
    } else {
        evidence.failures = open->evidence.failures + 1;
        open->evidence = evidence;
        if (news) {
            trouble_renew(core, open, now);
        }
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
