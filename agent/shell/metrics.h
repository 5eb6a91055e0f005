// Everything that is exported to Prometheus (mailflow-metrics(7)), rendered family by family and,
// within one, peer by peer: 10,000 peers make tens of megabytes, which nobody should hold.
//
// Zero is exported, not absent; a time that has not been is 0. What has no value (the latency of a
// path on which nothing has arrived) is left out.
#ifndef MAILFLOW_SHELL_METRICS_H
#define MAILFLOW_SHELL_METRICS_H

#include "core/core.h"
#include "shell/agent.h"
#include "shell/metrics_text.h"
#include "shell/process_figures.h"

// What is rendered. The core is read as the rendering goes on; the rest is of one moment.
struct metrics_view {
    const struct core *core;
    struct moment now;
    const char *version;
    struct walltime started;
    struct agent_workers workers;
    const struct exchanges *exchanges;
    const struct peer_sources *peer_sources;
    bool lists_agree;
    struct alertmanager_figures alertmanager;
    struct store_figures ledger;
    bool reload_successful;
    struct process_figures process;
    struct metric_edges latency_edges; // these two by metrics_begin
    struct metric_edges leg_edges;
};

struct metrics_cursor {
    struct metrics_view view;
    enum metrics_format format;
    size_t family;
    size_t index; // within the family
};

struct metrics_cursor metrics_begin(const struct metrics_view *view, enum metrics_format format);

// Appends the next part, less than 16 KiB; false with the last one.
bool metrics_next(struct metrics_cursor *cursor, struct text *out);

#endif
