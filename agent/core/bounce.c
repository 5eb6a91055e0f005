// A server says what became of a probe of ours. A failure resolves it; a delay keeps it in flight
// and is noted; what is said of a probe whose fate is known already is counted and changes nothing.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/drain.h"
#include "core/server.h"
#include "core/trouble.h"

static const char *const FATE_NAMES[BOUNCE_FATES] = {"bounced", "delayed", "stale", "delivered"};

const char *bounce_fate_name(enum bounce_fate fate)
{
    return FATE_NAMES[fate];
}

static void record_bounced(struct core *core, int peer, const struct flight *flight,
                           int64_t incident)
{
    struct action *action = core_act(core, ACTION_RECORD_PROBE);
    action->probe = (struct probe_record){
        .id = flight->id,
        .direction = OUTBOUND,
        .state = PROBE_BOUNCED,
        .verdict = VERDICT_BOUNCED,
        .sent = flight->sent,
        .incident = incident,
    };
    text_copy(action->probe.peer, SERVER_NAME_SIZE, core->peers[peer].settings->name);
}

// Takes it out of what is in flight, or is just being handed over. False when it is in neither.
static bool take_down(struct core *core, int peer, const struct probe_id *id, struct flight *out,
                      struct moment now)
{
    struct outbound *outbound = &core->peers[peer].outbound;
    struct sending *sending = fate_find_sending(outbound, id);
    ptrdiff_t place = flights_find(&outbound->flights, id);
    if (sending != NULL && !sending->resolved) {
        sending->resolved = true;
        *out = (struct flight){.sent = sending->planned, .id = *id};
        return true;
    }
    if (sending != NULL || place < 0) {
        return false;
    }
    *out = outbound->flights.items[place];
    flights_remove(&outbound->flights, (size_t)place);
    fate_watch_loss(core, peer, now);
    return true;
}

// Should it arrive after all (one of several recipients did not get it), that is known, too.
static void resolve(struct core *core, int peer, const struct flight *flight,
                    const struct bounce *bounce, struct moment now)
{
    record_bounced(core, peer, flight, finding_bounced(core, peer, flight, bounce, now));
    fate_remember_lost(core, peer, flight);
    path_count_verdict(core, peer, OUTBOUND, VERDICT_BOUNCED);
    drain_lost(core, peer, flight->sent, now);
}

// What is open for want of this mail tells it as its cause; what opens after it will.
static void note_delay(struct core *core, int peer, const struct bounce *bounce)
{
    static const enum incident_kind KINDS[] = {INCIDENT_SILENT, INCIDENT_SLOW};
    struct outbound *outbound = &core->peers[peer].outbound;
    struct subject subject = subject_of_path(peer, OUTBOUND);
    if (bounce->diagnostic[0] == '\0') {
        return;
    }
    if (outbound->delay == NULL) {
        outbound->delay = memory_checked(calloc(1, sizeof *outbound->delay));
    }
    text_copy(outbound->delay->words, sizeof outbound->delay->words, bounce->diagnostic);
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        struct incident *open = trouble_find(core, KINDS[i], &subject);
        if (open != NULL) {
            text_copy(open->evidence.cause, sizeof open->evidence.cause, bounce->diagnostic);
            trouble_record(core, open);
        }
    }
}

const char *bounce_delay_words(const struct core *core, int peer, enum direction direction)
{
    const struct delay_report *delay = core->peers[peer].outbound.delay;
    return direction == OUTBOUND && delay != NULL ? delay->words : "";
}

void bounce_forget_delay(struct core *core, int peer, enum direction direction)
{
    if (direction == OUTBOUND) {
        free(core->peers[peer].outbound.delay);
        core->peers[peer].outbound.delay = NULL;
    }
}

static enum bounce_fate judge(struct core *core, int peer, const struct probe_id *id,
                              const struct bounce *bounce, struct moment now)
{
    struct flight flight;
    if (bounce->action == BOUNCE_OTHER) {
        return BOUNCE_FATE_DELIVERED;
    }
    if (bounce->action == BOUNCE_DELAYED) {
        if (!fate_is_open(core, peer, id)) {
            return BOUNCE_FATE_STALE;
        }
        note_delay(core, peer, bounce);
        return BOUNCE_FATE_DELAYED;
    }
    if (!take_down(core, peer, id, &flight, now)) {
        return BOUNCE_FATE_STALE;
    }
    resolve(core, peer, &flight, bounce, now);
    return BOUNCE_FATE_BOUNCED;
}

void bounce_reported(struct core *core, const struct collect_report *report, struct moment now)
{
    const struct tag *tag = &report->tag;
    if (strcmp(tag->from, core->settings->server) != 0) {
        return; // an agent that shares the mailbox may be waiting for it
    }
    int peer = core_find_peer(core, tag->to);
    if (report->verified) { // else anybody may have written it
        core_act(core, ACTION_DELETE);
    }
    if (peer < 0) {
        core->stats.rejected[REJECTED_UNKNOWN_PEER]++;
        return;
    }
    enum bounce_fate fate = judge(core, peer, &tag->id, &report->bounce, now);
    core->peers[peer].stats.bounces[fate]++;
    struct action *action = core_act(core, ACTION_BOUNCE);
    action->bounce.peer = peer;
    action->bounce.probe = tag->id;
    action->bounce.fate = fate;
}
