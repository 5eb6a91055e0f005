#include "shell/metrics_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LABELS_MAXIMUM = 3, NUMBER_TEXT = 32, DIGITS_MAXIMUM = 20 };

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

void metric_edges_write(struct metric_edges *texts, const struct histogram_edges *edges,
                        enum metrics_format format)
{
    texts->edges = edges;
    for (size_t i = 0; i < edges->count; i++) {
        char number[NUMBER_TEXT];
        struct text text = TEXT_OVER(texts->of[i]);
        text_append(&text, number_text(edges->of[i], number));
        // OpenMetrics wants an edge to look like a number with a fraction: 1 is "1.0" there.
        bool whole = strpbrk(number, ".e") == NULL;
        text_append(&text, whole && format == METRICS_OPENMETRICS ? ".0\"} " : "\"} ");
    }
}

// What follows is done a million times for one answer of an agent with many peers, hence by hand.

// As text_append_bytes, but seen through by the compiler, above all where the count is a constant.
static inline void put(struct text *out, const char *bytes, size_t count)
{
    if (count >= out->size - out->length || out->truncated) {
        text_append_bytes(out, bytes, count);
        return;
    }
    memcpy(out->data + out->length, bytes, count);
    out->length += count;
    out->data[out->length] = '\0';
}

#define PUT(out, literal) put(out, literal, sizeof(literal) - 1)

static void append_digits(struct text *out, uint64_t value, size_t least)
{
    char digits[DIGITS_MAXIMUM];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || sizeof digits - at < least);
    put(out, digits + at, sizeof digits - at);
}

// Nanoseconds as seconds without needless zeros.
static void append_nanoseconds(struct text *out, int64_t ns)
{
    enum { FRACTION = 9 };
    uint64_t magnitude = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    uint64_t fraction = magnitude % 1000000000;
    size_t digits = FRACTION;
    text_append(out, ns < 0 ? "-" : "");
    append_digits(out, magnitude / 1000000000, 1);
    if (fraction > 0) {
        for (; fraction % 10 == 0; fraction /= 10) {
            digits--;
        }
        PUT(out, ".");
        append_digits(out, fraction, digits);
    }
}

// A backslash, a quote and a newline are escaped in label values; in help texts no quote.
static void append_escaped(struct text *out, const char *value, bool quoted)
{
    for (const char *at = value;; at++) {
        if (*at == '\0') {
            put(out, value, (size_t)(at - value));
            return;
        }
        if (*at == '\\' || *at == '\n' || (*at == '"' && quoted)) {
            put(out, value, (size_t)(at - value));
            text_append(out, *at == '\n' ? "\\n" : *at == '"' ? "\\\"" : "\\\\");
            value = at + 1;
        }
    }
}

static void append_labels(struct text *out, const struct metric_labels *labels)
{
    for (size_t i = 0; i < LABELS_MAXIMUM && labels->items[i].name != NULL; i++) {
        if (i > 0) {
            PUT(out, ",");
        }
        put(out, labels->items[i].name, strlen(labels->items[i].name));
        PUT(out, "=\"");
        append_escaped(out, labels->items[i].value, true);
        PUT(out, "\"");
    }
}

// "name_suffix{labels} ", after which the value stands.
static void begin_sample(const struct metric_writer *writer, const char *suffix,
                         const struct metric_labels *labels)
{
    put(writer->out, writer->name, strlen(writer->name));
    put(writer->out, suffix, strlen(suffix));
    if (labels->items[0].name != NULL) {
        PUT(writer->out, "{");
        append_labels(writer->out, labels);
        PUT(writer->out, "} ");
    } else {
        PUT(writer->out, " ");
    }
}

static void end_sample(const struct metric_writer *writer, uint64_t value)
{
    append_digits(writer->out, value, 1);
    PUT(writer->out, "\n");
}

// "name_suffix{labels,last=\"", after which the value of the last label stands.
static void begin_series(struct metric_series *series, const struct metric_writer *writer,
                         const char *suffix, const struct metric_labels *labels, const char *last)
{
    series->writer = writer;
    series->begin = TEXT_OVER(series->bytes);
    text_append(&series->begin, writer->name);
    text_append(&series->begin, suffix);
    PUT(&series->begin, "{");
    append_labels(&series->begin, labels);
    text_append(&series->begin, labels->items[0].name == NULL ? "" : ",");
    text_append(&series->begin, last);
    PUT(&series->begin, "=\"");
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
    append_escaped(writer->out, help, writer->format == METRICS_OPENMETRICS);
    text_format(writer->out, "\n# TYPE %.*s %s\n", length, writer->name,
                TYPES[as_gauge ? METRIC_GAUGE : type]);
}

void metric_write_count(const struct metric_writer *writer, const struct metric_labels *labels,
                        uint64_t value)
{
    begin_sample(writer, "", labels);
    end_sample(writer, value);
}

void metric_series_begin(struct metric_series *series, const struct metric_writer *writer,
                         const struct metric_labels *labels, const char *last)
{
    begin_series(series, writer, "", labels, last);
}

void metric_series_write(const struct metric_series *series, const char *value, uint64_t count)
{
    struct text *out = series->writer->out;
    put(out, series->begin.data, series->begin.length);
    append_escaped(out, value, true);
    PUT(out, "\"} ");
    end_sample(series->writer, count);
}

void metric_write_number(const struct metric_writer *writer, const struct metric_labels *labels,
                         double value)
{
    char number[NUMBER_TEXT];
    begin_sample(writer, "", labels);
    text_append(writer->out, number_text(value, number));
    PUT(writer->out, "\n");
}

void metric_write_span(const struct metric_writer *writer, const struct metric_labels *labels,
                       struct span value)
{
    begin_sample(writer, "", labels);
    append_nanoseconds(writer->out, value.ns);
    PUT(writer->out, "\n");
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
static void write_bucket(const struct metric_series *series, const char *edge, uint64_t count,
                         const struct exemplar *exemplar)
{
    const struct metric_writer *writer = series->writer;
    put(writer->out, series->begin.data, series->begin.length);
    put(writer->out, edge, strlen(edge));
    append_digits(writer->out, count, 1);
    if (exemplar != NULL && writer->format == METRICS_OPENMETRICS) {
        append_exemplar(writer->out, exemplar);
    }
    PUT(writer->out, "\n");
}

void metric_write_histogram(const struct metric_writer *writer, const struct metric_labels *labels,
                            const struct histogram *histogram, const struct metric_edges *texts)
{
    char number[NUMBER_TEXT];
    struct metric_series series;
    const struct histogram_edges *edges = texts->edges;
    begin_series(&series, writer, "_bucket", labels, "le");
    const struct exemplar *exemplar =
        walltime_known(histogram->exemplar.at) ? &histogram->exemplar : NULL;
    uint64_t below = 0;
    for (size_t i = 0; i < edges->count; i++) {
        below += histogram_in_bucket(histogram, i);
        bool its_own = exemplar != NULL && exemplar->value <= edges->of[i];
        write_bucket(&series, texts->of[i], below, its_own ? exemplar : NULL);
        exemplar = its_own ? NULL : exemplar;
    }
    write_bucket(&series, "+Inf\"} ", histogram->count, exemplar);
    begin_sample(writer, "_sum", labels);
    text_append(writer->out, number_text(histogram->sum, number));
    PUT(writer->out, "\n");
    begin_sample(writer, "_count", labels);
    end_sample(writer, histogram->count);
}
