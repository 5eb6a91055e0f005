#include <inttypes.h>
#include <string.h>

#include "core/server.h"
#include "core/trouble.h"

// The path's probes come through this mailbox.
static bool mailbox_serves(const struct core *core, int mailbox, const struct subject *path)
{
    bool agentless = core->peers[path->peer].collect >= 0;
    return agentless ? core->peers[path->peer].collect == mailbox
                     : path->direction == INBOUND && !core->mailboxes[mailbox].foreign_collects;
}

// What can be known of the symptom's subject comes through the mailbox.
static bool mailbox_shows(const struct core *core, int mailbox, const struct subject *symptom)
{
    if (symptom->kind == SUBJECT_SERVER && symptom->peer >= 0) {
        struct subject inbound = {
            .kind = SUBJECT_PATH, .peer = symptom->peer, .direction = INBOUND};
        return mailbox_serves(core, mailbox, &inbound);
    }
    return symptom->kind == SUBJECT_PATH && mailbox_serves(core, mailbox, symptom);
}

static bool same_peer(const struct subject *server, const struct subject *symptom)
{
    return (symptom->kind == SUBJECT_PATH || symptom->kind == SUBJECT_SERVER) &&
           server->peer == symptom->peer;
}

static bool is_own_overrun(const struct incident *incident)
{
    return incident->kind == INCIDENT_OVERRUN && incident->subject.peer == OWN_SERVER;
}

static bool is_own_clock(const struct incident *incident)
{
    return incident->kind == INCIDENT_CLOCK && incident->subject.peer == OWN_SERVER;
}

bool fold_stands_alone(enum incident_kind kind)
{
    return kind == INCIDENT_CLOCK || kind == INCIDENT_FORGED || kind == INCIDENT_REROUTED ||
           kind == INCIDENT_UNAUTHENTICATED || kind == INCIDENT_MISPLACED ||
           kind == INCIDENT_CERTIFICATE;
}

static bool explains(const struct core *core, const struct incident *cause,
                     const struct incident *symptom)
{
    if (symptom->kind == INCIDENT_CERTIFICATE) {
        return cause == certificate_find_cause(core, symptom);
    }
    if (is_own_clock(cause)) {
        return symptom->kind == INCIDENT_CLOCK && !is_own_clock(symptom);
    }
    if (fold_stands_alone(cause->kind) || fold_stands_alone(symptom->kind) ||
        is_own_overrun(symptom)) {
        return false;
    }
    if (incident_rule(symptom->kind)->kept.ns > 0 && symptom->notified) {
        return false; // has been said, once for all that it adds up
    }
    if (is_own_overrun(cause)) {
        return true;
    }
    if (cause->kind >= symptom->kind) {
        return false;
    }
    switch (cause->subject.kind) {
    case SUBJECT_MAILBOX: // what had been said before it became unreadable stands by itself
        return (!symptom->notified || symptom->opened.ns >= cause->began.ns) &&
               mailbox_shows(core, cause->subject.mailbox, &symptom->subject);
    case SUBJECT_SERVER:
        if (cause->kind == INCIDENT_UNHEARD &&
            (symptom->kind == INCIDENT_REFUSED || symptom->kind == INCIDENT_BOUNCED)) {
            return false; // a server that greets and refuses says so itself
        }
        return cause->subject.peer == OWN_SERVER || same_peer(&cause->subject, &symptom->subject);
    case SUBJECT_PATH:
        return subject_equal(&cause->subject, &symptom->subject) &&
               (cause->kind != INCIDENT_BOUNCED ||
                (!symptom->notified && finding_bounces(core, cause->subject.peer)));
    case SUBJECT_GONE:
        break;
    }
    return false;
}

static struct incident *find_explaining(const struct core *core, enum incident_kind kind,
                                        const struct subject *subject,
                                        const struct incident *symptom)
{
    struct incident *cause = trouble_find(core, kind, subject);
    return cause != NULL && explains(core, cause, symptom) ? cause : NULL;
}

static struct incident *find_blind(const struct core *core, const struct incident *symptom)
{
    struct incident *cause = NULL;
    for (size_t i = 0; cause == NULL && i < core->settings->mailbox_count; i++) {
        struct subject mailbox = subject_of_mailbox((int)i);
        cause = find_explaining(core, INCIDENT_BLIND, &mailbox, symptom);
    }
    return cause;
}

// Of the kinds that are about the symptom's own server or path.
static struct incident *find_near(const struct core *core, enum incident_kind kind,
                                  const struct incident *symptom)
{
    if (symptom->subject.kind != SUBJECT_PATH && symptom->subject.kind != SUBJECT_SERVER) {
        return NULL;
    }
    struct subject server = subject_of_server(symptom->subject.peer);
    bool of_path = incident_rule(kind)->subject == SUBJECT_PATH;
    return find_explaining(core, kind, of_path ? &symptom->subject : &server, symptom);
}

struct incident *fold_find_cause(const struct core *core, const struct incident *symptom)
{
    const struct subject own = subject_of_server(OWN_SERVER);
    if (symptom->kind == INCIDENT_CLOCK) {
        return find_explaining(core, INCIDENT_CLOCK, &own, symptom);
    }
    if (symptom->kind == INCIDENT_CERTIFICATE) {
        return certificate_find_cause(core, symptom);
    }
    struct incident *cause = find_explaining(core, INCIDENT_OVERRUN, &own, symptom);
    for (int kind = 0; cause == NULL && kind < (int)symptom->kind; kind++) {
        cause = kind == INCIDENT_ISOLATED ? find_explaining(core, INCIDENT_ISOLATED, &own, symptom)
                : kind == INCIDENT_BLIND  ? find_blind(core, symptom)
                                          : find_near(core, (enum incident_kind)kind, symptom);
    }
    return cause;
}

// Its end is theirs, whoever waits for that.
static void note_ended(struct incident *cause, const struct incident *symptom)
{
    struct text ended = {.data = cause->ended, .size = ENDED_SIZE, .length = strlen(cause->ended)};
    char numbers[ENDED_SIZE + 24];
    struct text text = TEXT_OVER(numbers);
    text_format(&text, "%s%" PRId64 "%s%s", ended.length > 0 ? "," : "", symptom->id,
                symptom->ended[0] != '\0' ? "," : "", symptom->ended);
    if (ended.length + text.length < ENDED_SIZE) {
        text_append(&ended, numbers);
    }
}

// A cause that is worse than what has been said is said itself, and so is an overrun: a flag that
// has expired un-suppresses. (That of our own server others say; what we have said ends with it.)
void fold_under(struct incident *cause, struct incident *symptom)
{
    bool said = symptom->notified && !symptom->flapping; // flapping ends with a word of its own
    if (said && symptom->severity >= cause->severity && !cause->notified &&
        (cause->kind != INCIDENT_OVERRUN || is_own_overrun(cause))) {
        cause->notified = true;
        cause->notified_at = symptom->notified_at;
    }
    if (said) {
        note_ended(cause, symptom);
        cause->unwritten = true;
    }
    symptom->unwritten = symptom->unwritten || symptom->cause != cause->id || symptom->notified;
    symptom->notified = false;
    symptom->cause = cause->id;
}

void fold_gather(struct core *core, struct incident *cause, struct moment now)
{
    for (size_t i = 0; i < core->incidents.count; i++) {
        struct incident *other = core->incidents.places[i];
        if (other != NULL && other != cause && !other->closing && explains(core, cause, other)) {
            fold_under(fold_find_cause(core, other), other);
            schedule_set(&core->incident_timers, (uint32_t)i, now.instant);
        }
    }
}

// A submission has been accepted, or what has arrived on the path since it began is so recent that
// it would not open again.
bool fold_is_over(struct core *core, const struct incident *symptom, struct moment now)
{
    const struct subject *subject = &symptom->subject;
    if (symptom->kind == INCIDENT_REFUSED) {
        return core->peers[subject->peer].outbound.accepted_in_a_row > 0;
    }
    if (symptom->kind != INCIDENT_SILENT) {
        return false;
    }
    const struct path *path = path_of(core, subject->peer, subject->direction);
    return path->last_arrival.ns > symptom->began.ns &&
           !(subject->direction == INBOUND ? inbound_is_silent(core, subject->peer, now)
                                           : fate_is_silent(core, subject->peer, now));
}

// What had been said before a cause took it over stands, where that one ends without a word; where
// it has spoken for both, that is said and done.
static void give_back(const struct incident *cause, struct incident *symptom)
{
    if (cause->notified) {
        symptom->notified_at = WALLTIME_NONE;
    } else if (cause->cause == 0 && walltime_known(symptom->notified_at)) {
        symptom->notified = true;
        symptom->unwritten = true;
    }
}

void fold_release(struct core *core, const struct incident *cause, struct moment now)
{
    // What was wrongly kept quiet has waited enough.
    struct span wait =
        down_is_refuted(core, cause, now) ? SPAN_ZERO : core->settings->maintenance.settle;
    for (size_t i = 0; i < core->incidents.count; i++) {
        struct incident *other = core->incidents.places[i];
        if (other == NULL || other->cause != cause->id) {
            continue;
        }
        give_back(cause, other);
        if (fold_is_over(core, other, now)) {
            trouble_close_soon(core, other, now);
        } else if (!other->closing) {
            schedule_set(&core->incident_timers, (uint32_t)i, instant_add(now.instant, wait));
        }
    }
}
