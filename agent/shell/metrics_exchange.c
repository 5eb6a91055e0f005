#include "shell/metrics_families.h"

static size_t count_peers(const struct metrics_view *view)
{
    return view->exchanges->count;
}

static const struct exchange_peer *peer_at(const struct metrics_view *view, size_t index,
                                           struct metric_labels *labels)
{
    const struct exchange_peer *peer = &view->exchanges->peers[index];
    *labels = (struct metric_labels){{{"peer", peer->name}}};
    return peer;
}

static void write_done(const struct metric_writer *writer, const struct metrics_view *view,
                       size_t index)
{
    struct metric_labels labels;
    const struct exchange_peer *peer = peer_at(view, index, &labels);
    metric_write_count(writer, &labels, peer->done);
}

static void write_failed(const struct metric_writer *writer, const struct metrics_view *view,
                         size_t index)
{
    struct metric_labels labels;
    const struct exchange_peer *peer = peer_at(view, index, &labels);
    metric_write_count(writer, &labels, peer->failed);
}

static void write_received(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    struct metric_labels labels;
    const struct exchange_peer *peer = peer_at(view, index, &labels);
    metric_write_count(writer, &labels, peer->received);
}

static void write_duration(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    struct metric_labels labels;
    const struct exchange_peer *peer = peer_at(view, index, &labels);
    if (peer->done > 0) {
        metric_write_span(writer, &labels, peer->last_duration);
    }
}

static size_t count_reasons(const struct metrics_view *view)
{
    (void)view;
    return EXCHANGE_REJECTIONS;
}

static void write_rejected(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    const char *reason = exchange_rejection_name((enum exchange_rejection)index);
    struct metric_labels labels = {{{"reason", reason}}};
    metric_write_count(writer, &labels, view->exchanges->rejected[index]);
}

static const struct metric_family FAMILIES[] = {
    {"mailflow_exchanges_total", METRIC_COUNTER, "peer",
     "Exchanges over HTTP that this agent began and the peer's agent answered.", count_peers,
     write_done},
    {"mailflow_exchange_failures_total", METRIC_COUNTER, "peer",
     "Exchanges over HTTP that this agent began in vain.", count_peers, write_failed},
    {"mailflow_exchanges_received_total", METRIC_COUNTER, "peer",
     "Exchanges over HTTP that the peer's agent began.", count_peers, write_received},
    {"mailflow_exchange_duration_last_seconds", METRIC_GAUGE, "peer",
     "How long the last answered exchange took.", count_peers, write_duration},
    {"mailflow_exchanges_rejected_total", METRIC_COUNTER, "reason",
     "Requests to exchange that were not taken.", count_reasons, write_rejected},
};

const struct metric_families METRICS_OF_EXCHANGES = {FAMILIES,
                                                     sizeof FAMILIES / sizeof FAMILIES[0]};
