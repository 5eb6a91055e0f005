#include "core/incident.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const struct incident_rule RULES[INCIDENTS] = {
    [INCIDENT_ISOLATED] = {"isolated", SUBJECT_SERVER, SEVERITY_CRITICAL, false},
    [INCIDENT_BLIND] = {"blind", SUBJECT_MAILBOX, SEVERITY_CRITICAL, false},
    [INCIDENT_OVERRUN] = {"overrun", SUBJECT_SERVER, SEVERITY_CRITICAL, false},
    [INCIDENT_DOWN] = {"down", SUBJECT_SERVER, SEVERITY_CRITICAL, true},
    [INCIDENT_UNHEARD] = {"unheard", SUBJECT_SERVER, SEVERITY_WARNING, true},
    [INCIDENT_REFUSED] = {"refused", SUBJECT_PATH, SEVERITY_CRITICAL, false},
    [INCIDENT_SILENT] = {"silent", SUBJECT_PATH, SEVERITY_CRITICAL, true},
    [INCIDENT_SLOW] = {"slow", SUBJECT_PATH, SEVERITY_WARNING, true},
    [INCIDENT_STUCK] = {"stuck", SUBJECT_SERVER, SEVERITY_WARNING, false},
    [INCIDENT_LOST] = {"lost", SUBJECT_PATH, SEVERITY_WARNING, false},
    [INCIDENT_CLOCK] = {"clock", SUBJECT_SERVER, SEVERITY_WARNING, false},
    [INCIDENT_FORGED] = {"forged", SUBJECT_SERVER, SEVERITY_WARNING, false},
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

const char *severity_name(enum severity severity)
{
    return severity == SEVERITY_CRITICAL ? "critical" : "warning";
}

bool severity_parse(const char *name, enum severity *out)
{
    *out = strcmp(name, "critical") == 0 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    return strcmp(name, severity_name(*out)) == 0;
}

void incidents_free(struct incidents *incidents)
{
    for (size_t i = 0; i < incidents->count; i++) {
        free(incidents->places[i]);
    }
    free(incidents->places);
    *incidents = (struct incidents){0};
}

uint32_t incidents_add(struct incidents *incidents, const struct incident *incident)
{
    size_t place = 0;
    while (place < incidents->count && incidents->places[place] != NULL) {
        place++;
    }
    if (place == incidents->count) {
        size_t size = (incidents->count + 1) * sizeof *incidents->places;
        incidents->places = memory_checked(realloc(incidents->places, size));
        incidents->count++;
    }
    struct incident *added = memory_checked(malloc(sizeof *added));
    *added = *incident;
    if (added->id == 0) {
        added->id = ++incidents->last_id;
    } else if (added->id > incidents->last_id) {
        incidents->last_id = added->id;
    }
    incidents->places[place] = added;
    return (uint32_t)place;
}

void incidents_remove(struct incidents *incidents, uint32_t place)
{
    free(incidents->places[place]);
    incidents->places[place] = NULL;
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

int64_t incidents_find(const struct incidents *incidents, enum incident_kind kind,
                       const struct subject *subject)
{
    for (size_t i = 0; i < incidents->count; i++) {
        const struct incident *incident = incidents->places[i];
        if (incident != NULL && incident->kind == kind &&
            subject_equal(&incident->subject, subject)) {
            return (int64_t)i;
        }
    }
    return -1;
}
