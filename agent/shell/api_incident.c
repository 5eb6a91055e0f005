#include "shell/api_incident.h"

#include <stdlib.h>

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

// ---- evidence: one row a member, with the kinds for which it means something ----

#define OF(kind) (1U << INCIDENT_##kind)

static json_t *latency_of(const struct evidence *evidence)
{
    return json_real(span_seconds(evidence->latency));
}

static json_t *threshold_of(const struct evidence *evidence)
{
    return json_real(span_seconds(evidence->threshold));
}

static json_t *oldest_age_of(const struct evidence *evidence)
{
    return json_real(span_seconds(evidence->oldest_age));
}

static json_t *late_of(const struct evidence *evidence)
{
    return json_integer(evidence->late);
}

static json_t *of_of(const struct evidence *evidence)
{
    return json_integer(evidence->of);
}

static json_t *in_flight_of(const struct evidence *evidence)
{
    return json_integer(evidence->in_flight);
}

static json_t *failures_of(const struct evidence *evidence)
{
    return json_integer(evidence->failures);
}

static json_t *cause_of(const struct evidence *evidence)
{
    return evidence->cause[0] == '\0' ? json_null() : api_json_text(evidence->cause);
}

static json_t *probe_of(const struct evidence *evidence)
{
    char id[PROBE_ID_TEXT];
    return evidence->has_probe ? api_json_text(probe_id_format(&evidence->probe, id)) : json_null();
}

static json_t *hop_of(const struct evidence *evidence)
{
    return evidence->hop.to[0] == '\0' ? json_null() : api_json_text(evidence->hop.to);
}

static json_t *hop_from_of(const struct evidence *evidence)
{
    return evidence->hop.to[0] == '\0' ? json_null() : api_json_text(evidence->hop.from);
}

static json_t *hop_delay_of(const struct evidence *evidence)
{
    return evidence->hop.to[0] == '\0' ? json_null() : json_real(span_seconds(evidence->hop.delay));
}

static json_t *route_of(const struct evidence *evidence)
{
    return api_json_text(evidence->route);
}

static json_t *usual_route_of(const struct evidence *evidence)
{
    return api_json_text(evidence->usual_route);
}

static json_t *method_of(const struct evidence *evidence)
{
    return api_json_text(auth_method_name(evidence->method));
}

static json_t *result_of(const struct evidence *evidence)
{
    return api_json_text(auth_result_name(evidence->result));
}

static json_t *statuses_of(const struct evidence *evidence)
{
    json_t *array = memory_checked(json_array());
    for (size_t i = 0; i < STATUSES_KEPT && evidence->statuses[i][0] != '\0'; i++) {
        json_array_append_new(array, api_json_text(evidence->statuses[i]));
    }
    return array;
}

static const struct evidence_member {
    const char *name;
    unsigned kinds;
    json_t *(*value)(const struct evidence *evidence);
} MEMBERS[] = {
    {"latency_seconds", OF(SLOW), latency_of},
    {"offset_seconds", OF(CLOCK), latency_of},
    {"expires_in_seconds", OF(CERTIFICATE), latency_of},
    {"offset_error_seconds", OF(CLOCK), threshold_of},
    {"late", OF(SLOW), late_of},
    {"bad", OF(ISOLATED), late_of},
    {"misplaced", OF(MISPLACED), late_of},
    {"of", OF(SLOW) | OF(ISOLATED) | OF(MISPLACED), of_of},
    {"threshold_seconds", OF(SLOW) | OF(SILENT), threshold_of},
    {"oldest_age_seconds", OF(SILENT) | OF(BLIND) | OF(DOWN) | OF(UNHEARD) | OF(STUCK),
     oldest_age_of},
    {"hop", OF(SLOW), hop_of},
    {"hop_from", OF(SLOW), hop_from_of},
    {"hop_delay_seconds", OF(SLOW), hop_delay_of},
    {"in_flight", OF(SILENT) | OF(OVERRUN) | OF(DOWN) | OF(UNHEARD) | OF(STUCK), in_flight_of},
    {"failures", OF(REFUSED) | OF(ISOLATED), failures_of},
    {"lost", OF(LOST), failures_of},
    {"bounced", OF(BOUNCED), failures_of},
    {"statuses", OF(BOUNCED), statuses_of},
    {"tags", OF(FORGED), failures_of},
    {"route", OF(REROUTED), route_of},
    {"usual_route", OF(REROUTED), usual_route_of},
    {"method", OF(UNAUTHENTICATED), method_of},
    {"result", OF(UNAUTHENTICATED), result_of},
    {"reason", OF(UNAUTHENTICATED), cause_of},
    {"folder", OF(MISPLACED), cause_of},
    {"cause",
     OF(REFUSED) | OF(BOUNCED) | OF(SILENT) | OF(SLOW) | OF(BLIND) | OF(ISOLATED) | OF(OVERRUN) |
         OF(DOWN) | OF(UNHEARD) | OF(CLOCK) | OF(FORGED) | OF(CERTIFICATE),
     cause_of},
    {"probe",
     OF(REFUSED) | OF(BOUNCED) | OF(SILENT) | OF(SLOW) | OF(STUCK) | OF(LOST) | OF(CLOCK) |
         OF(REROUTED) | OF(UNAUTHENTICATED) | OF(MISPLACED),
     probe_of},
};

// Who refused the last that came back, and by which status: of its report, which the ledger has.
static void write_refusal(json_t *object, struct store *store, const struct evidence *evidence)
{
    struct store_bounce last;
    bool told =
        evidence->has_probe && store_get_bounce(store, &evidence->probe, BOUNCE_FAILED, &last);
    api_json_text_if(object, "status", told ? last.bounce.status : "");
    api_json_text_if(object, "remote_mta", told ? last.bounce.remote_mta : "");
}

static json_t *evidence_to_json(struct store *store, enum incident_kind kind,
                                const struct evidence *evidence)
{
    json_t *object = memory_checked(json_object());
    if (kind == INCIDENT_BOUNCED) {
        write_refusal(object, store, evidence);
    }
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        if ((MEMBERS[i].kinds & (1U << kind)) != 0) {
            json_write_object(object, MEMBERS[i].name, MEMBERS[i].value(evidence));
        }
    }
    return object;
}

// ---- cells ----

static json_t *cells_to_json(const struct cells *cells)
{
    if (cells->culprit == CULPRIT_UNKNOWN) {
        return json_null();
    }
    json_t *object = memory_checked(json_object());
    json_write_text(object, "culprit", culprit_name(cells->culprit));
    json_write_integer(object, "seen_by", cells->seen_by);
    json_write_integer(object, "of", cells->of);
    json_write_text(object, "paths", cells->paths);
    return object;
}

// ---- aftermath ----

// When mail came through again, in the direction that it did last.
static struct walltime resumed_at(const struct aftermath *aftermath)
{
    return walltime_later(aftermath->resumed[OUTBOUND], aftermath->resumed[INBOUND]);
}

static void write_overrun(json_t *object, const struct incident *incident)
{
    const struct aftermath *aftermath = &incident->aftermath;
    json_write_text(object, "window", aftermath->window);
    json_write_text(object, "window_kind", window_kind_name(aftermath->window_kind));
    api_json_time(object, "planned_end", aftermath->planned_end);
    if (aftermath->resumed_by[0] != '\0') {
        api_json_span(object, "overran_seconds",
                      walltime_since(resumed_at(aftermath), aftermath->planned_end));
    } else {
        api_json_null(object, "overran_seconds");
    }
}

static json_t *aftermath_to_json(const struct incident *incident)
{
    const unsigned none = OF(SLOW) | OF(BOUNCED) | OF(LOST) | OF(CLOCK) | OF(FORGED) |
                          OF(REROUTED) | OF(UNAUTHENTICATED) | OF(MISPLACED);
    const struct aftermath *aftermath = &incident->aftermath;
    if ((none & (1U << incident->kind)) != 0) {
        return json_null();
    }
    json_t *object = memory_checked(json_object());
    if (incident->kind == INCIDENT_OVERRUN) {
        write_overrun(object, incident);
    }
    api_json_time(object, "resumed", resumed_at(aftermath));
    api_json_text_if(object, "resumed_by", aftermath->resumed_by);
    json_write_integer(object, "drained", aftermath->drained);
    json_write_integer(object, "lost", aftermath->lost);
    json_write_integer(object, "in_flight", aftermath->in_flight);
    json_write_integer(object, "suppressed", aftermath->suppressed);
    api_json_span(object, "longest_seconds", aftermath->longest);
    return object;
}

// ---- all of it ----

static json_t *ended_to_json(const struct incident *incident)
{
    json_t *list = memory_checked(json_array());
    for (const char *at = incident->ended; *at != '\0'; at += *at == ',') {
        char *end;
        json_array_append_new(list, json_integer(strtoll(at, &end, 10)));
        at = end;
    }
    return list;
}

json_t *api_json_incident(struct store *store, const struct incident *incident)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "id", incident->id);
    json_write_text(object, "kind", incident_kind_name(incident->kind));
    json_write_text(object, "severity", severity_name(incident->severity));
    json_write_text(object, "subject", incident->subject_text);
    api_json_time(object, "began", incident->began);
    api_json_time(object, "opened", incident->opened);
    api_json_time(object, "closed", incident->closed);
    json_write_boolean(object, "notified", incident->notified);
    json_write_boolean(object, "flapping", incident->flapping);
    api_json_text_if(object, "suppressed_by", incident->suppressed_by);
    json_write_object(object, "cause",
                      incident->cause == 0 ? json_null() : json_integer(incident->cause));
    json_write_object(object, "ends", ended_to_json(incident));
    json_write_object(object, "evidence",
                      evidence_to_json(store, incident->kind, &incident->evidence));
    json_write_object(object, "cells", cells_to_json(&incident->cells));
    json_write_object(object, "aftermath", aftermath_to_json(incident));
    return object;
}
