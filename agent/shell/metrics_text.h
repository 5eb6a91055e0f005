// The two text formats that Prometheus reads: its own 0.0.4 and OpenMetrics 1.0.0. A family is a
// header and samples; names, labels and numbers are written here only, so that a sample can not be
// malformed.
#ifndef MAILFLOW_SHELL_METRICS_TEXT_H
#define MAILFLOW_SHELL_METRICS_TEXT_H

#include <stdint.h>

#include "base/instant.h"
#include "base/text.h"
#include "core/stats.h"

enum metrics_format { METRICS_PROMETHEUS, METRICS_OPENMETRICS };

// By the request's Accept header: OpenMetrics when it is asked for by name, and not less than plain
// text (RFC 9110 section 12.5.1).
enum metrics_format metrics_format_accepted(const char *accept);
const char *metrics_content_type(enum metrics_format format);

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM, METRIC_INFO };

// The family whose samples are being written.
struct metric_writer {
    struct text *out;
    enum metrics_format format;
    const char *name; // as in the samples: counters end in _total, infos in _info
};

// At most three; the rest is zero.
struct metric_labels {
    struct {
        const char *name;
        const char *value;
    } items[3];
};

// The edges of histograms as they stand in their buckets, written once for all of one answer.
struct metric_edges {
    const struct histogram_edges *edges;
    char of[HISTOGRAM_EDGES_MAXIMUM][32];
};

void metric_edges_write(struct metric_edges *texts, const struct histogram_edges *edges,
                        enum metrics_format format);

#define METRIC_NO_LABELS (&(struct metric_labels){0})

void metric_write_header(const struct metric_writer *writer, enum metric_type type,
                         const char *help);
void metric_write_count(const struct metric_writer *writer, const struct metric_labels *labels,
                        uint64_t value);
void metric_write_number(const struct metric_writer *writer, const struct metric_labels *labels,
                         double value);

// Counts that differ in the value of their last label, which is not among the labels.
struct metric_series {
    const struct metric_writer *writer;
    struct text begin;
    char bytes[512];
};

void metric_series_begin(struct metric_series *series, const struct metric_writer *writer,
                         const struct metric_labels *labels, const char *last);
void metric_series_write(const struct metric_series *series, const char *value, uint64_t count);

// In seconds, exact.
void metric_write_span(const struct metric_writer *writer, const struct metric_labels *labels,
                       struct span value);
void metric_write_time(const struct metric_writer *writer, const struct metric_labels *labels,
                       struct walltime value);

void metric_write_histogram(const struct metric_writer *writer, const struct metric_labels *labels,
                            const struct histogram *histogram, const struct metric_edges *texts);

#endif
