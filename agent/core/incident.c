#include "core/incident.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const struct incident_rule RULES[INCIDENTS] = {
    [INCIDENT_ISOLATED] = {"isolated", SUBJECT_SERVER, SEVERITY_CRITICAL, false, SPAN_ZERO},
    [INCIDENT_BLIND] = {"blind", SUBJECT_MAILBOX, SEVERITY_CRITICAL, false, SPAN_ZERO},
    [INCIDENT_OVERRUN] = {"overrun", SUBJECT_SERVER, SEVERITY_CRITICAL, false, SPAN_ZERO},
    [INCIDENT_DOWN] = {"down", SUBJECT_SERVER, SEVERITY_CRITICAL, true, SPAN_ZERO},
    [INCIDENT_UNHEARD] = {"unheard", SUBJECT_SERVER, SEVERITY_WARNING, true, SPAN_ZERO},
    [INCIDENT_REFUSED] = {"refused", SUBJECT_PATH, SEVERITY_CRITICAL, false, SPAN_ZERO},
    [INCIDENT_BOUNCED] = {"bounced", SUBJECT_PATH, SEVERITY_CRITICAL, false, SPAN_HOURS(24)},
    [INCIDENT_SILENT] = {"silent", SUBJECT_PATH, SEVERITY_CRITICAL, true, SPAN_ZERO},
    [INCIDENT_SLOW] = {"slow", SUBJECT_PATH, SEVERITY_WARNING, true, SPAN_ZERO},
    [INCIDENT_STUCK] = {"stuck", SUBJECT_SERVER, SEVERITY_WARNING, false, SPAN_ZERO},
    [INCIDENT_LOST] = {"lost", SUBJECT_PATH, SEVERITY_WARNING, false, SPAN_HOURS(24)},
    [INCIDENT_CERTIFICATE] = {"certificate", SUBJECT_SERVER, SEVERITY_WARNING, true, SPAN_ZERO},
    [INCIDENT_REROUTED] = {"rerouted", SUBJECT_PATH, SEVERITY_WARNING, false, SPAN_HOURS(24)},
    [INCIDENT_UNAUTHENTICATED] = {"unauthenticated", SUBJECT_PATH, SEVERITY_WARNING, false,
                                  SPAN_ZERO},
    [INCIDENT_MISPLACED] = {"misplaced", SUBJECT_PATH, SEVERITY_WARNING, false, SPAN_ZERO},
    [INCIDENT_CLOCK] = {"clock", SUBJECT_SERVER, SEVERITY_WARNING, true, SPAN_ZERO},
    [INCIDENT_FORGED] = {"forged", SUBJECT_SERVER, SEVERITY_WARNING, false, SPAN_HOURS(1)},
};

const struct incident_rule *incident_rule(enum incident_kind kind)
{
    return &RULES[kind];
}

const char *incident_kind_name(enum incident_kind kind)
{
    return RULES[kind].name;
}

bool incident_kind_parse(const char *name, enum incident_kind *out)
{
    for (int i = 0; i < INCIDENTS; i++) {
        if (strcmp(name, RULES[i].name) == 0) {
            *out = (enum incident_kind)i;
            return true;
        }
    }
    return false;
}

const char *incident_end_name(enum incident_end end)
{
    static const char *const NAMES[INCIDENT_ENDS] = {"", "untold", "unset"};
    return NAMES[end];
}

const char *severity_name(enum severity severity)
{
    return severity == SEVERITY_CRITICAL ? "critical" : "warning";
}

bool severity_parse(const char *name, enum severity *out)
{
    *out = strcmp(name, "critical") == 0 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    return strcmp(name, severity_name(*out)) == 0;
}

static const char *const NOTICE_NAMES[NOTICES] = {
    [NOTICE_FIRING] = "FIRING",     [NOTICE_FLAPPING] = "FLAPPING",
    [NOTICE_REMINDER] = "REMINDER", [NOTICE_SUPPRESSED] = "SUPPRESSED",
    [NOTICE_RESOLVED] = "RESOLVED",
};

const char *notice_name(enum notice notice)
{
    return NOTICE_NAMES[notice];
}

bool notice_parse(const char *name, enum notice *out)
{
    for (int i = 0; i < NOTICES; i++) {
        if (strcmp(name, NOTICE_NAMES[i]) == 0) {
            *out = (enum notice)i;
            return true;
        }
    }
    return false;
}

// Places plus one, 0 at the end of a chain.
struct incident_links {
    uint32_t by_subject; // of a free place: the next free one
    uint32_t by_id;
};

struct incident_heads {
    uint32_t by_subject;
    uint32_t by_id;
};

void incidents_free(struct incidents *incidents)
{
    for (size_t i = 0; i < incidents->count; i++) {
        free(incidents->places[i]);
    }
    free(incidents->places);
    free(incidents->links);
    free(incidents->heads);
    *incidents = (struct incidents){0};
}

bool subject_equal(const struct subject *a, const struct subject *b)
{
    switch (a->kind) {
    case SUBJECT_MAILBOX:
        return b->kind == SUBJECT_MAILBOX && a->mailbox == b->mailbox;
    case SUBJECT_SERVER:
        return b->kind == SUBJECT_SERVER && a->peer == b->peer;
    case SUBJECT_PATH:
        return b->kind == SUBJECT_PATH && a->peer == b->peer && a->direction == b->direction;
    case SUBJECT_GONE:
        break;
    }
    return false;
}

static size_t spread(uint64_t key, size_t head_count)
{
    return (size_t)((key * 0x9e3779b97f4a7c15u) >> 32) & (head_count - 1);
}

static uint32_t *subject_head(const struct incidents *incidents, const struct subject *subject)
{
    uint64_t who = (uint64_t)(subject->kind == SUBJECT_MAILBOX ? subject->mailbox : subject->peer);
    uint64_t way = subject->kind == SUBJECT_PATH ? (uint64_t)subject->direction : 0;
    uint64_t key = (who + 1) * 8 + (uint64_t)subject->kind * 2 + way;
    return &incidents->heads[spread(key, incidents->head_count)].by_subject;
}

static uint32_t *id_head(const struct incidents *incidents, int64_t id)
{
    return &incidents->heads[spread((uint64_t)id, incidents->head_count)].by_id;
}

static void link_subject(struct incidents *incidents, uint32_t place)
{
    uint32_t *head = subject_head(incidents, &incidents->places[place]->subject);
    incidents->links[place].by_subject = *head;
    *head = place + 1;
}

static void unlink_subject(struct incidents *incidents, uint32_t place)
{
    uint32_t *at = subject_head(incidents, &incidents->places[place]->subject);
    while (*at != place + 1) {
        at = &incidents->links[*at - 1].by_subject;
    }
    *at = incidents->links[place].by_subject;
}

static void link_id(struct incidents *incidents, uint32_t place)
{
    uint32_t *head = id_head(incidents, incidents->places[place]->id);
    incidents->links[place].by_id = *head;
    *head = place + 1;
}

static void unlink_id(struct incidents *incidents, uint32_t place)
{
    uint32_t *at = id_head(incidents, incidents->places[place]->id);
    while (*at != place + 1) {
        at = &incidents->links[*at - 1].by_id;
    }
    *at = incidents->links[place].by_id;
}

// Twice as many places, all of the new ones free, and as many chains.
static void grow(struct incidents *incidents)
{
    size_t before = incidents->count, after = before == 0 ? 16 : before * 2;
    incidents->places = memory_checked(realloc(incidents->places, after * sizeof(void *)));
    incidents->links = memory_checked(realloc(incidents->links, after * sizeof *incidents->links));
    free(incidents->heads);
    incidents->heads = memory_checked(calloc(after, sizeof *incidents->heads));
    incidents->head_count = after;
    incidents->count = after;
    for (size_t i = 0; i < before; i++) {
        link_subject(incidents, (uint32_t)i);
        link_id(incidents, (uint32_t)i);
    }
    for (size_t i = after; i > before; i--) {
        incidents->places[i - 1] = NULL;
        incidents->links[i - 1] = (struct incident_links){.by_subject = incidents->free};
        incidents->free = (uint32_t)i;
    }
}

uint32_t incidents_add(struct incidents *incidents, const struct incident *incident)
{
    if (incidents->free == 0) {
        grow(incidents);
    }
    uint32_t place = incidents->free - 1;
    incidents->free = incidents->links[place].by_subject;
    struct incident *added = memory_checked(malloc(sizeof *added));
    *added = *incident;
    if (added->id == 0) {
        added->id = ++incidents->last_id;
    } else if (added->id > incidents->last_id) {
        incidents->last_id = added->id;
    }
    incidents->places[place] = added;
    link_subject(incidents, place);
    link_id(incidents, place);
    return place;
}

void incidents_remove(struct incidents *incidents, uint32_t place)
{
    unlink_subject(incidents, place);
    unlink_id(incidents, place);
    free(incidents->places[place]);
    incidents->places[place] = NULL;
    incidents->links[place].by_subject = incidents->free;
    incidents->free = place + 1;
}

void incidents_set_subject(struct incidents *incidents, uint32_t place,
                           const struct subject *subject)
{
    unlink_subject(incidents, place);
    incidents->places[place]->subject = *subject;
    link_subject(incidents, place);
}

int64_t incidents_find(const struct incidents *incidents, enum incident_kind kind,
                       const struct subject *subject)
{
    uint32_t at = incidents->head_count == 0 ? 0 : *subject_head(incidents, subject);
    for (; at != 0; at = incidents->links[at - 1].by_subject) {
        const struct incident *incident = incidents->places[at - 1];
        if (incident->kind == kind && subject_equal(&incident->subject, subject)) {
            return (int64_t)at - 1;
        }
    }
    return -1;
}

int64_t incidents_find_id(const struct incidents *incidents, int64_t id)
{
    uint32_t at = incidents->head_count == 0 ? 0 : *id_head(incidents, id);
    while (at != 0 && incidents->places[at - 1]->id != id) {
        at = incidents->links[at - 1].by_id;
    }
    return (int64_t)at - 1;
}
