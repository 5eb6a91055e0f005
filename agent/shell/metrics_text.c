#include "shell/metrics_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LABELS_MAXIMUM = 3, NUMBER_TEXT = 32 };

static const char OPENMETRICS_TYPE[] = "application/openmetrics-text";

// ---- which format ----

// The weight of one element of an Accept header, 1 when it names none. Up to three digits after the
// point count (RFC 9110 section 12.4.2); a malformed weight is no wish.
static double element_weight(const char *parameters, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        if (tolower((unsigned char)parameters[i]) == 'q' && parameters[i + 1] == '=') {
            char digits[8] = "";
            size_t count = length - i - 2;
            memcpy(digits, parameters + i + 2, count < 5 ? count : 5);
            return strtod(digits, NULL);
        }
    }
    return 1;
}

// The greatest weight given to a media type by name.
static double accepted_weight(const char *accept, const char *type)
{
    double greatest = 0;
    while (*accept != '\0') {
        size_t element = strcspn(accept, ",");
        size_t blanks = strspn(accept, " \t");
        size_t name = blanks + strcspn(accept + blanks, " \t;,");
        if (name - blanks == strlen(type) &&
            strncasecmp(accept + blanks, type, name - blanks) == 0) {
            double weight = element_weight(accept + name, element - name);
            greatest = weight > greatest ? weight : greatest;
        }
        accept += element;
        accept += *accept == ',' ? 1 : 0;
    }
    return greatest;
}

enum metrics_format metrics_format_accepted(const char *accept)
{
    double weight = accepted_weight(accept, OPENMETRICS_TYPE);
    return weight > 0 && weight >= accepted_weight(accept, "text/plain") ? METRICS_OPENMETRICS
                                                                         : METRICS_PROMETHEUS;
}

const char *metrics_content_type(enum metrics_format format)
{
    return format == METRICS_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

// ---- numbers and labels ----

static const char *number_text(double value, char out[NUMBER_TEXT])
{
    snprintf(out, NUMBER_TEXT, "%.15g", value);
    return out;
}

// OpenMetrics wants an edge to look like a number with a fraction: 1 is "1.0" there.
static void append_edge(const struct metric_writer *writer, double edge)
{
    char number[NUMBER_TEXT];
    text_append(writer->out, number_text(edge, number));
    if (writer->format == METRICS_OPENMETRICS && strpbrk(number, ".e") == NULL) {
        text_append(writer->out, ".0");
    }
}

// Nanoseconds as seconds without needless zeros.
static void append_nanoseconds(struct text *out, int64_t ns)
{
    uint64_t magnitude = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    text_format(out, "%s%" PRIu64, ns < 0 ? "-" : "", magnitude / 1000000000);
    if (magnitude % 1000000000 != 0) {
        text_format(out, ".%09" PRIu64, magnitude % 1000000000);
        while (out->data[out->length - 1] == '0') {
            out->data[--out->length] = '\0';
        }
    }
}

// A backslash, a quote and a newline are escaped in label values; in help texts no quote.
static void append_escaped(struct text *out, const char *value, const char *escaped)
{
    while (*value != '\0') {
        size_t plain = strcspn(value, escaped);
        text_append_bytes(out, value, plain);
        value += plain;
        if (*value != '\0') {
            text_append(out, *value == '\n' ? "\\n" : *value == '"' ? "\\\"" : "\\\\");
            value++;
        }
    }
}

static void append_labels(struct text *out, const struct metric_labels *labels)
{
    for (size_t i = 0; i < LABELS_MAXIMUM && labels->items[i].name != NULL; i++) {
        text_append(out, i == 0 ? "" : ",");
        text_append(out, labels->items[i].name);
        text_append(out, "=\"");
        append_escaped(out, labels->items[i].value, "\\\"\n");
        text_append(out, "\"");
    }
}

// "name_suffix{labels} ", after which the value stands.
static void begin_sample(const struct metric_writer *writer, const char *suffix,
                         const struct metric_labels *labels)
{
    text_append(writer->out, writer->name);
    text_append(writer->out, suffix);
    if (labels->items[0].name != NULL) {
        text_append(writer->out, "{");
        append_labels(writer->out, labels);
        text_append(writer->out, "}");
    }
    text_append(writer->out, " ");
}

// ---- families ----

// In OpenMetrics the family's name lacks the suffix of its samples.
static int family_name_length(const struct metric_writer *writer, enum metric_type type)
{
    size_t length = strlen(writer->name);
    bool suffixed = type == METRIC_COUNTER || type == METRIC_INFO;
    if (writer->format == METRICS_OPENMETRICS && suffixed) {
        length = (size_t)(strrchr(writer->name, '_') - writer->name);
    }
    return (int)length;
}

void metric_write_header(const struct metric_writer *writer, enum metric_type type,
                         const char *help)
{
    static const char *const TYPES[] = {"counter", "gauge", "histogram", "info"};
    bool as_gauge = type == METRIC_INFO && writer->format == METRICS_PROMETHEUS;
    int length = family_name_length(writer, type);
    text_format(writer->out, "# HELP %.*s ", length, writer->name);
    append_escaped(writer->out, help, writer->format == METRICS_OPENMETRICS ? "\\\"\n" : "\\\n");
    text_format(writer->out, "\n# TYPE %.*s %s\n", length, writer->name,
                TYPES[as_gauge ? METRIC_GAUGE : type]);
}

void metric_write_count(const struct metric_writer *writer, const struct metric_labels *labels,
                        uint64_t value)
{
    begin_sample(writer, "", labels);
    text_format(writer->out, "%" PRIu64 "\n", value);
}

void metric_write_number(const struct metric_writer *writer, const struct metric_labels *labels,
                         double value)
{
    char number[NUMBER_TEXT];
    begin_sample(writer, "", labels);
    text_append(writer->out, number_text(value, number));
    text_append(writer->out, "\n");
}

void metric_write_span(const struct metric_writer *writer, const struct metric_labels *labels,
                       struct span value)
{
    begin_sample(writer, "", labels);
    append_nanoseconds(writer->out, value.ns);
    text_append(writer->out, "\n");
}

void metric_write_time(const struct metric_writer *writer, const struct metric_labels *labels,
                       struct walltime value)
{
    metric_write_span(writer, labels, (struct span){value.ns});
}

// OpenMetrics: " # {probe="..."} 0.012 1790000000.123".
static void append_exemplar(struct text *out, const struct exemplar *exemplar)
{
    char id[PROBE_ID_TEXT], number[NUMBER_TEXT];
    text_format(out, " # {probe=\"%s\"} %s ", probe_id_format(&exemplar->probe, id),
                number_text(exemplar->value, number));
    append_nanoseconds(out, exemplar->at.ns);
}

// `exemplar` is NULL in all buckets but its own.
static void write_bucket(const struct metric_writer *writer, const char *labels, const double *edge,
                         uint64_t count, const struct exemplar *exemplar)
{
    struct text *out = writer->out;
    text_append(out, writer->name);
    text_append(out, "_bucket{");
    text_append(out, labels);
    text_append(out, labels[0] == '\0' ? "le=\"" : ",le=\"");
    if (edge == NULL) {
        text_append(out, "+Inf");
    } else {
        append_edge(writer, *edge);
    }
    text_format(out, "\"} %" PRIu64, count);
    if (exemplar != NULL && writer->format == METRICS_OPENMETRICS) {
        append_exemplar(out, exemplar);
    }
    text_append(out, "\n");
}

void metric_write_histogram(const struct metric_writer *writer, const struct metric_labels *labels,
                            const struct histogram *histogram, const struct histogram_edges *edges)
{
    char label_text[256], number[NUMBER_TEXT];
    struct text out = TEXT_OVER(label_text);
    append_labels(&out, labels);
    const struct exemplar *exemplar =
        walltime_known(histogram->exemplar.at) ? &histogram->exemplar : NULL;
    uint64_t below = 0;
    for (size_t i = 0; i < edges->count; i++) {
        below += histogram->buckets[i];
        bool its_own = exemplar != NULL && exemplar->value <= edges->of[i];
        write_bucket(writer, label_text, &edges->of[i], below, its_own ? exemplar : NULL);
        exemplar = its_own ? NULL : exemplar;
    }
    write_bucket(writer, label_text, NULL, histogram->count, exemplar);
    begin_sample(writer, "_sum", labels);
    text_append(writer->out, number_text(histogram->sum, number));
    text_append(writer->out, "\n");
    begin_sample(writer, "_count", labels);
    text_format(writer->out, "%" PRIu64 "\n", histogram->count);
}
