// One row per metric: name, type, help, and how its samples are written. metrics.c walks the
// tables; metrics_peer.c, metrics_incident.c, metrics_exchange.c, metrics_lists.c,
// metrics_alertmanager.c, metrics_certificate.c and metrics_agent.c are them.
#ifndef MAILFLOW_SHELL_METRICS_FAMILIES_H
#define MAILFLOW_SHELL_METRICS_FAMILIES_H

#include "shell/metrics.h"

struct metric_family {
    const char *name;
    enum metric_type type;
    const char *labels; // of every sample, in their order: "peer, direction"; beside `le`
    const char *help;
    // How many times `write` is called, with growing index, each time for a few samples.
    size_t (*count)(const struct metrics_view *view);
    void (*write)(const struct metric_writer *writer, const struct metrics_view *view,
                  size_t index);
};

struct metric_families {
    const struct metric_family *items;
    size_t count;
};

extern const struct metric_families METRICS_OF_PEERS;
extern const struct metric_families METRICS_OF_INCIDENTS; // and of maintenance
extern const struct metric_families METRICS_OF_EXCHANGES;
extern const struct metric_families METRICS_OF_LISTS;
extern const struct metric_families METRICS_OF_ALERTMANAGER;
extern const struct metric_families METRICS_OF_CERTIFICATES;
extern const struct metric_families METRICS_OF_AGENT;

// The family at a place in all tables, or NULL past the last.
const struct metric_family *metric_family_at(size_t place);

#endif
