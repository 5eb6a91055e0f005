#include "shell/metrics_families.h"

static size_t count_sources(const struct metrics_view *view)
{
    return view->peer_sources->count;
}

static const struct peer_source *source_at(const struct metrics_view *view, size_t index,
                                           struct metric_labels *labels)
{
    const struct peer_source *source = &view->peer_sources->items[index];
    *labels = (struct metric_labels){{{"source", source->name}}};
    return source;
}

static void write_up(const struct metric_writer *writer, const struct metrics_view *view,
                     size_t index)
{
    struct metric_labels labels;
    const struct peer_source *source = source_at(view, index, &labels);
    bool up = !source->failing && walltime_known(source->succeeded);
    metric_write_count(writer, &labels, up ? 1 : 0);
}

static void write_success(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    struct metric_labels labels;
    const struct peer_source *source = source_at(view, index, &labels);
    metric_write_time(writer, &labels, source->succeeded);
}

static void write_servers(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    struct metric_labels labels;
    const struct peer_source *source = source_at(view, index, &labels);
    metric_write_count(writer, &labels, source->servers);
}

static size_t count_one(const struct metrics_view *view)
{
    (void)view;
    return 1;
}

static void write_agree(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, view->lists_agree ? 1 : 0);
}

static void write_mesh(const struct metric_writer *writer, const struct metrics_view *view,
                       size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, core_settings(view->core)->mesh_count);
}

static void write_peers(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    (void)index;
    metric_write_count(writer, METRIC_NO_LABELS, core_settings(view->core)->peer_count);
}

static const struct metric_family FAMILIES[] = {
    {"mailflow_peers", METRIC_GAUGE, "", "Servers that probes are exchanged with.", count_one,
     write_peers},
    {"mailflow_mesh_servers", METRIC_GAUGE, "", "Servers in the lists of peers_from.", count_one,
     write_mesh},
    {"mailflow_peer_source_up", METRIC_GAUGE, "source",
     "1 while the list of peers can be read or asked for; else its last one stands.", count_sources,
     write_up},
    {"mailflow_peer_source_last_success_timestamp_seconds", METRIC_GAUGE, "source",
     "When the list of peers was last read or told, 0 when it has not been.", count_sources,
     write_success},
    {"mailflow_peer_source_servers", METRIC_GAUGE, "source",
     "Servers in the list of peers that stands.", count_sources, write_servers},
    {"mailflow_peer_sources_agree", METRIC_GAUGE, "",
     "0 while the lists of peers contradict each other, and those in force stay as they were.",
     count_one, write_agree},
};

const struct metric_families METRICS_OF_LISTS = {FAMILIES, sizeof FAMILIES / sizeof FAMILIES[0]};
