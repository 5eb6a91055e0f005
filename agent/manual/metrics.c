#include <string.h>

#include "core/core.h"
#include "manual/mdoc.h"
#include "manual/parts.h"
#include "shell/exchanges.h"
#include "shell/metrics_families.h"

static const char *const TYPES[] = {
    [METRIC_COUNTER] = "Counter",
    [METRIC_GAUGE] = "Gauge",
    [METRIC_HISTOGRAM] = "Histogram",
    [METRIC_INFO] = "Info, always 1",
};

// By the name's end, as Prometheus' naming practices have it.
static const char *unit_of(const char *name)
{
    static const struct {
        const char *part;
        const char *unit;
    } UNITS[] = {
        {"_timestamp_seconds", "seconds since 1970"},
        {"_start_time_seconds", "seconds since 1970"},
        {"_seconds", "seconds"},
        {"_bytes", "bytes"},
        {"_ratio", "ratio"},
    };
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++) {
        if (strstr(name, UNITS[i].part) != NULL) {
            return UNITS[i].unit;
        }
    }
    return NULL;
}

static void print_family(const struct metric_family *family, FILE *out)
{
    const char *unit = unit_of(family->name);
    fprintf(out, ".It Cm %s", family->name);
    if (family->labels[0] != '\0') {
        fprintf(out, "{ Ns Ar %s Ns }", family->labels);
    }
    fputc('\n', out);
    mdoc_text(family->help, out);
    fprintf(out, "%s%s%s.\n", TYPES[family->type], unit == NULL ? "" : ", in ",
            unit == NULL ? "" : unit);
}

void manual_print_metrics(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; metric_family_at(i) != NULL; i++) {
        print_family(metric_family_at(i), out);
    }
    fputs(".El\n", out);
}

// ---- labels ----

// A name of an enum, by its number.
#define NAME_AT(of)                                                                                \
    static const char *of##_at(int value)                                                          \
    {                                                                                              \
        return of##_name((unsigned)value);                                                         \
    }

NAME_AT(direction)
NAME_AT(verdict)
NAME_AT(path_state)
NAME_AT(reply_class)
NAME_AT(bounce_fate)
NAME_AT(auth_method)
NAME_AT(auth_result)
NAME_AT(incident_kind)
NAME_AT(severity)
NAME_AT(window_kind)
NAME_AT(certificate_place)
NAME_AT(exchange_rejection)

static const struct {
    const char *label;
    const char *help;
    int first;
    int count; // 0: any text
    const char *(*value)(int value);
} LABELS[] = {
    {"peer", "The name of a peer of the configuration.", 0, 0, NULL},
    {"server", "The name of this server or of a peer.", 0, 0, NULL},
    {"mailbox", "The name of a mailbox of the configuration.", 0, 0, NULL},
    {"direction", "`outbound` are the probes that we send, `inbound` those that we receive:", 0,
     DIRECTIONS, direction_at},
    {"verdict", "What a probe's life amounts to:", VERDICT_ON_TIME, VERDICTS, verdict_at},
    {"state", "Of a path:", 0, PATH_STATES, path_state_at},
    {"class", "How a submission ended:", 0, REPLY_CLASSES, reply_class_at},
    {"fate", "What a server's report of a probe came to:", 0, BOUNCE_FATES, bounce_fate_at},
    {"method", "Of authentication:", 0, AUTH_METHODS, auth_method_at},
    {"result", "What a method found (RFC 8601):", AUTH_NONE, AUTH_RESULTS, auth_result_at},
    {"leg", "A part of a probe's way:", 0, LEGS, leg_name},
    {"kind", "Of an incident, those that explain others first:", 0, INCIDENTS, incident_kind_at},
    {"kind", "Of a maintenance window, in `mailflow_maintenance_active`:", 0, WINDOW_EMERGENCY + 1,
     window_kind_at},
    {"severity", "Of an incident:", 0, SEVERITIES, severity_at},
    {"subject", "What an incident is about: a path as `mx02->mx01`, a server or a mailbox.", 0, 0,
     NULL},
    {"place", "Where a certificate was seen:", 0, CERTIFICATE_PLACES, certificate_place_at},
    {"name", "Whose certificate it is: a server or a mailbox.", 0, 0, NULL},
    {"source", "A list of peers: the path of a file, or a name of the DNS.", 0, 0, NULL},
    {"reason", "Why a message was no probe, in `mailflow_probes_rejected_total`:", 0,
     REJECTION_REASONS, rejection_reason_name},
    {"reason", "Why an exchange was not taken, in `mailflow_exchanges_rejected_total`:", 0,
     EXCHANGE_REJECTIONS, exchange_rejection_at},
    {"version", "Of the agent.", 0, 0, NULL},
};

void manual_print_labels(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < sizeof LABELS / sizeof LABELS[0]; i++) {
        fprintf(out, ".It Cm %s\n", LABELS[i].label);
        mdoc_text(LABELS[i].help, out);
        for (int value = LABELS[i].first; value < LABELS[i].count; value++) {
            bool last = value == LABELS[i].count - 1;
            fprintf(out, ".Cm %s %s\n", LABELS[i].value(value), last ? "." : ",");
        }
    }
    fputs(".El\n", out);
}
