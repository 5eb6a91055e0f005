#include "core/flap.h"

#include <stdlib.h>

#include "base/error.h"
#include "core/trouble.h"

static struct flap_history **place_of(struct core *core, const struct subject *subject)
{
    switch (subject->kind) {
    case SUBJECT_PATH:
        return &path_of(core, subject->peer, subject->direction)->flaps;
    case SUBJECT_MAILBOX:
        return &core->mailboxes[subject->mailbox].flaps;
    case SUBJECT_SERVER:
        return subject->peer >= 0 ? &core->peers[subject->peer].server.flaps : &core->own.flaps;
    case SUBJECT_GONE:
        break;
    }
    return NULL;
}

// NULL for a subject that is gone.
static struct flap_history *history_of(struct core *core, const struct subject *subject)
{
    struct flap_history **place = place_of(core, subject);
    if (place != NULL && *place == NULL) {
        *place = memory_checked(calloc(1, sizeof **place));
    }
    return place == NULL ? NULL : *place;
}

static struct flapping *find(const struct core *core, const struct incident *incident)
{
    for (size_t i = 0; i < core->flapping_count; i++) {
        struct flapping *flapping = &core->flapping[i];
        if (flapping->last.kind == incident->kind &&
            subject_equal(&flapping->last.subject, &incident->subject)) {
            return flapping;
        }
    }
    return NULL;
}

static void schedule_flaps(struct core *core)
{
    struct instant due = INSTANT_NEVER;
    for (size_t i = 0; i < core->flapping_count; i++) {
        due = instant_earlier(due, instant_add(core->flapping[i].since, FLAP_SPAN));
    }
    schedule_set(&core->own_timers, OWN_FLAP, due);
}

static void begin(struct core *core, const struct incident *incident, struct instant since)
{
    size_t size = (core->flapping_count + 1) * sizeof *core->flapping;
    core->flapping = memory_checked(realloc(core->flapping, size));
    core->flapping[core->flapping_count++] = (struct flapping){*incident, since};
    schedule_flaps(core);
}

enum flap_turn flap_notify(struct core *core, struct incident *incident, struct moment now)
{
    if (incident->flapping) {
        return FLAP_SAY_NOTHING;
    }
    struct flap_history *history = history_of(core, &incident->subject);
    if (history == NULL || incident->renewed) {
        return FLAP_SAY;
    }
    struct walltime *opened = history->opened[incident->kind];
    if (opened[0].ns == incident->opened.ns) {
        return FLAP_SAY; // it has been said before, and is said again after its cause
    }
    struct walltime third = opened[FLAP_TURNS - 2];
    for (int i = FLAP_TURNS - 2; i > 0; i--) {
        opened[i] = opened[i - 1];
    }
    opened[0] = incident->opened;
    if (!walltime_known(third) || walltime_since(incident->opened, third).ns > FLAP_SPAN.ns) {
        return FLAP_SAY;
    }
    incident->flapping = true;
    core->incident_counts[incident->kind][incident->severity].flaps++;
    begin(core, incident, now.instant);
    return FLAP_SAY_FLAPPING;
}

void flap_turned(struct core *core, struct incident *incident, struct moment now)
{
    struct flapping *flapping = find(core, incident);
    if (flapping != NULL) {
        incident->flapping = true;
        core->incident_counts[incident->kind][incident->severity].flaps +=
            !walltime_known(incident->closed);
        flapping->last = *incident;
        flapping->since = now.instant;
        schedule_flaps(core);
    }
}

static void end(struct core *core, size_t place)
{
    core->flapping[place] = core->flapping[--core->flapping_count];
    schedule_flaps(core);
}

// It has stayed open: from now on it is an incident like any other, and about to be said.
static void settle_open(struct core *core, struct incident *open, struct moment now)
{
    open->flapping = false;
    open->notified = false;
    open->unwritten = true;
    history_of(core, &open->subject)->opened[open->kind][0] = open->opened;
    trouble_set_timer(core, open, now.instant);
}

void flap_follow(struct core *core, struct moment now)
{
    for (size_t i = 0; i < core->flapping_count; i++) {
        struct flapping *flapping = &core->flapping[i];
        if (!instant_reached(now.instant, instant_add(flapping->since, FLAP_SPAN))) {
            continue;
        }
        struct incident *open = trouble_find_id(core, flapping->last.id);
        if (open != NULL) {
            settle_open(core, open, now);
        } else {
            flapping->last.flapping = false;
            core_act(core, ACTION_INCIDENT)->incident = flapping->last;
            notify_say(core, &flapping->last, NOTICE_RESOLVED);
        }
        end(core, i);
        return; // one at a time: actions are bounded
    }
    schedule_flaps(core);
}

void flap_configure(struct core *core, const struct settings *settings)
{
    size_t kept = 0;
    for (size_t i = 0; i < core->flapping_count; i++) {
        struct incident *last = &core->flapping[i].last;
        if (core_resolve_subject(settings, last->kind, last->subject_text, &last->subject)) {
            core->flapping[kept++] = core->flapping[i];
        }
    }
    core->flapping_count = kept;
}

void flap_restore(struct core *core, const struct incident *incident, struct moment now)
{
    if (!incident->notified && !incident->flapping) {
        return;
    }
    struct flap_history *history = history_of(core, &incident->subject);
    if (history == NULL) {
        return;
    }
    for (int i = FLAP_TURNS - 2; i > 0; i--) {
        history->opened[incident->kind][i] = history->opened[incident->kind][i - 1];
    }
    history->opened[incident->kind][0] = incident->opened;
    struct flapping *known = find(core, incident);
    struct walltime turned = walltime_known(incident->closed) ? incident->closed : incident->opened;
    if (known != NULL) {
        *known = (struct flapping){*incident, moment_instant_at(now, turned)};
    } else if (incident->flapping) {
        begin(core, incident, moment_instant_at(now, turned));
    }
    schedule_flaps(core);
}
