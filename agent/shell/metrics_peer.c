#include "shell/metrics_families.h"

// ---- what the indices stand for ----

static size_t count_peers(const struct metrics_view *view)
{
    return core_settings(view->core)->peer_count;
}

static size_t count_paths(const struct metrics_view *view)
{
    return count_peers(view) * DIRECTIONS;
}

static const struct peer *peer_at(const struct metrics_view *view, size_t index)
{
    return core_peer(view->core, (int)index);
}

static struct metric_labels peer_labels(const struct peer *peer)
{
    return (struct metric_labels){{{"peer", peer->settings->name}}};
}

// One direction of one peer.
struct way {
    const struct peer *peer;
    enum direction direction;
    const struct path *path;
    struct metric_labels labels;
};

static struct way way_at(const struct metrics_view *view, size_t index)
{
    struct way way = {.peer = peer_at(view, index / DIRECTIONS),
                      .direction = index % DIRECTIONS == 0 ? OUTBOUND : INBOUND};
    way.path = way.direction == OUTBOUND ? &way.peer->outbound.path : &way.peer->inbound.path;
    way.labels = peer_labels(way.peer);
    way.labels.items[1].name = "direction";
    way.labels.items[1].value = direction_name(way.direction);
    return way;
}

// ---- counters of a peer ----

static void write_of_peer(const struct metric_writer *writer, const struct peer *peer,
                          uint64_t value)
{
    struct metric_labels labels = peer_labels(peer);
    metric_write_count(writer, &labels, value);
}

static void write_sent(const struct metric_writer *writer, const struct metrics_view *view,
                       size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.sent);
}

static void write_send_failures(const struct metric_writer *writer, const struct metrics_view *view,
                                size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.send_failures);
}

static void write_sends_uncertain(const struct metric_writer *writer,
                                  const struct metrics_view *view, size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.sends_uncertain);
}

static void write_slots_missed(const struct metric_writer *writer, const struct metrics_view *view,
                               size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.slots_missed);
}

static void write_received(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.received);
}

static void write_loops(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.loops);
}

static void write_duplicates(const struct metric_writer *writer, const struct metrics_view *view,
                             size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.duplicates);
}

static void write_arrived_after_loss(const struct metric_writer *writer,
                                     const struct metrics_view *view, size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.arrived_after_loss);
}

static void write_receipts_unknown(const struct metric_writer *writer,
                                   const struct metrics_view *view, size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.receipts_unknown);
}

static void write_bounces(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    const struct peer *peer = peer_at(view, index);
    struct metric_labels labels = peer_labels(peer);
    struct metric_series series;
    metric_series_begin(&series, writer, &labels, "fate");
    for (int fate = 0; fate < BOUNCE_FATES; fate++) {
        const char *name = bounce_fate_name((enum bounce_fate)fate);
        metric_series_write(&series, name, peer->stats.bounces[fate]);
    }
}

static void write_route_changes(const struct metric_writer *writer, const struct metrics_view *view,
                                size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.route_changes);
}

static void write_misplaced(const struct metric_writer *writer, const struct metrics_view *view,
                            size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->stats.misplaced);
}

// The results that a method may have (RFC 8601 section 2.7, for ARC RFC 8617 section 4.4).
static bool may_result(enum auth_method method, enum auth_result result)
{
    enum { RARE = 1 << AUTH_POLICY | 1 << AUTH_NEUTRAL | 1 << AUTH_SOFTFAIL };
    static const unsigned NEVER[AUTH_METHODS] = {
        [AUTH_DKIM] = 1U << AUTH_SOFTFAIL,
        [AUTH_DMARC] = RARE,
        [AUTH_ARC] = RARE | 1U << AUTH_TEMPERROR | 1U << AUTH_PERMERROR,
    };
    return (NEVER[method] >> result & 1) == 0;
}

static void write_method(const struct metric_writer *writer, struct metric_labels *labels,
                         enum auth_method method, enum auth_result last)
{
    labels->items[1].value = auth_method_name(method);
    for (int i = AUTH_ABSENT + 1; last != AUTH_ABSENT && i < AUTH_RESULTS; i++) {
        enum auth_result result = (enum auth_result)i;
        labels->items[2].value = auth_result_name(result);
        if (may_result(method, result)) {
            metric_write_count(writer, labels, result == last ? 1 : 0);
        }
    }
}

// Of peers whose probes come through a server that is trusted to say so, since it has.
static void write_auth_result(const struct metric_writer *writer, const struct metrics_view *view,
                              size_t index)
{
    const struct peer *peer = peer_at(view, index);
    enum direction direction = peer->collect >= 0 ? OUTBOUND : INBOUND;
    struct habits habits;
    bool known = core_habits(view->core, (int)index, direction, &habits);
    struct metric_labels labels = peer_labels(peer);
    labels.items[1].name = "method";
    labels.items[2].name = "result";
    for (int method = 0; known && method < AUTH_METHODS; method++) {
        write_method(writer, &labels, (enum auth_method)method, habits.auth.last[method]);
    }
}

static void write_replies(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    const struct peer *peer = peer_at(view, index);
    struct metric_labels labels = peer_labels(peer);
    struct metric_series series;
    metric_series_begin(&series, writer, &labels, "class");
    for (int class = 0; class < REPLY_CLASSES; class ++) {
        const char *name = reply_class_name((enum reply_class) class);
        metric_series_write(&series, name, peer->stats.replies[class]);
    }
}

static void write_resolved(const struct metric_writer *writer, const struct metrics_view *view,
                           size_t index)
{
    struct way way = way_at(view, index);
    struct metric_series series;
    metric_series_begin(&series, writer, &way.labels, "verdict");
    for (int verdict = VERDICT_OPEN + 1; verdict < VERDICTS; verdict++) {
        metric_series_write(&series, verdict_name((enum verdict)verdict),
                            way.peer->stats.resolved[way.direction][verdict]);
    }
}

// ---- latency ----

static void write_latency(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    struct way way = way_at(view, index);
    metric_write_histogram(writer, &way.labels, &way.peer->stats.latency[way.direction],
                           &view->latency_edges);
}

static void write_last_latency(const struct metric_writer *writer, const struct metrics_view *view,
                               size_t index)
{
    struct way way = way_at(view, index);
    if (walltime_known(way.path->last_arrival)) {
        metric_write_span(writer, &way.labels, way.path->last_latency);
    }
}

static void write_last_error(const struct metric_writer *writer, const struct metrics_view *view,
                             size_t index)
{
    struct way way = way_at(view, index);
    if (walltime_known(way.path->last_arrival)) {
        metric_write_span(writer, &way.labels, way.path->last_error);
    }
}

static void write_last_arrival(const struct metric_writer *writer, const struct metrics_view *view,
                               size_t index)
{
    struct way way = way_at(view, index);
    metric_write_time(writer, &way.labels, way.path->last_arrival);
}

// ---- states ----

static void write_in_flight(const struct metric_writer *writer, const struct metrics_view *view,
                            size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->outbound.flights.count);
}

static void write_oldest(const struct metric_writer *writer, const struct metrics_view *view,
                         size_t index)
{
    const struct peer *peer = peer_at(view, index);
    const struct flights *flights = &peer->outbound.flights;
    struct metric_labels labels = peer_labels(peer);
    metric_write_time(writer, &labels, flights->count > 0 ? flights->items[0].sent : WALLTIME_NONE);
}

static void write_state(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    struct way way = way_at(view, index);
    enum path_state now =
        core_path_state(view->core, (int)(index / DIRECTIONS), way.direction, view->now);
    struct metric_series series;
    metric_series_begin(&series, writer, &way.labels, "state");
    for (int state = 0; state < PATH_STATES; state++) {
        metric_series_write(&series, path_state_name((enum path_state)state),
                            state == (int)now ? 1 : 0);
    }
}

static void write_heard(const struct metric_writer *writer, const struct metrics_view *view,
                        size_t index)
{
    const struct peer *peer = peer_at(view, index);
    struct metric_labels labels = peer_labels(peer);
    metric_write_time(writer, &labels, peer->heard);
}

static void write_receipts_as_of(const struct metric_writer *writer,
                                 const struct metrics_view *view, size_t index)
{
    const struct peer *peer = peer_at(view, index);
    struct metric_labels labels = peer_labels(peer);
    metric_write_time(writer, &labels, peer->outbound.receipts_as_of);
}

static void write_thinned(const struct metric_writer *writer, const struct metrics_view *view,
                          size_t index)
{
    write_of_peer(writer, peer_at(view, index), peer_at(view, index)->outbound.thinned ? 1 : 0);
}

// What is not known of a clock is left out: an offset of zero would say that it is right.
static void write_clock_offset(const struct metric_writer *writer, const struct metrics_view *view,
                               size_t index)
{
    struct metric_labels labels = peer_labels(peer_at(view, index));
    struct clock_estimate clock = core_clock(view->core, (int)index, view->now);
    if (clock.known) {
        metric_write_span(writer, &labels, clock.offset);
    }
}

static void write_clock_error(const struct metric_writer *writer, const struct metrics_view *view,
                              size_t index)
{
    struct metric_labels labels = peer_labels(peer_at(view, index));
    struct clock_estimate clock = core_clock(view->core, (int)index, view->now);
    if (clock.known) {
        metric_write_span(writer, &labels, clock.error);
    }
}

static void write_clock_drift(const struct metric_writer *writer, const struct metrics_view *view,
                              size_t index)
{
    struct metric_labels labels = peer_labels(peer_at(view, index));
    struct clock_estimate clock = core_clock(view->core, (int)index, view->now);
    if (clock.drift != 0) {
        metric_write_number(writer, &labels, clock.drift);
    }
}

// ---- the table ----

static const struct metric_family FAMILIES[] = {
    {"mailflow_probes_sent_total", METRIC_COUNTER, "peer",
     "Probes that the first server on the way to the peer took over.", count_peers, write_sent},
    {"mailflow_probe_send_failures_total", METRIC_COUNTER, "peer",
     "Submissions that definitely failed: nothing is in flight.", count_peers, write_send_failures},
    {"mailflow_probe_sends_uncertain_total", METRIC_COUNTER, "peer",
     "Submissions whose last reply was lost: the probe may arrive.", count_peers,
     write_sends_uncertain},
    {"mailflow_slots_missed_total", METRIC_COUNTER, "peer",
     "Slots of the cadence that no probe filled.", count_peers, write_slots_missed},
    {"mailflow_smtp_replies_total", METRIC_COUNTER, "peer, class",
     "How submissions ended: the class of the deciding reply, or what kept it from coming.",
     count_peers, write_replies},
    {"mailflow_probes_received_total", METRIC_COUNTER, "peer",
     "Probes of the peer that arrived here.", count_peers, write_received},
    {"mailflow_probes_resolved_total", METRIC_COUNTER, "peer, direction, verdict",
     "Probes whose fate is known, by what their life amounts to.", count_paths, write_resolved},
    {"mailflow_probe_loops_total", METRIC_COUNTER, "peer",
     "Probes to the peer that came back to a mailbox of ours: forwarded or echoed.", count_peers,
     write_loops},
    {"mailflow_probe_duplicates_total", METRIC_COUNTER, "peer",
     "Messages with the id of a probe that had arrived before.", count_peers, write_duplicates},
    {"mailflow_probes_arrived_after_loss_total", METRIC_COUNTER, "peer",
     "Probes that had been counted as lost and arrived after all.", count_peers,
     write_arrived_after_loss},
    {"mailflow_receipts_unknown_total", METRIC_COUNTER, "peer",
     "Receipts of the peer for probes that we have not sent.", count_peers, write_receipts_unknown},
    {"mailflow_bounces_total", METRIC_COUNTER, "peer, fate",
     "Reports of servers about probes to the peer, by what they came to: the probe bounced, is "
     "delayed, its fate was known already (stale), or it was delivered.",
     count_peers, write_bounces},
    {"mailflow_route_changes_total", METRIC_COUNTER, "peer",
     "How often so many probes in a row came another way than those of the peer use to, expected "
     "within a window or not.",
     count_peers, write_route_changes},
    {"mailflow_auth_result", METRIC_GAUGE, "peer, method, result",
     "1 for what the receiving server found last of the peer's probes by the method.", count_peers,
     write_auth_result},
    {"mailflow_probes_misplaced_total", METRIC_COUNTER, "peer",
     "Probes that arrived in another folder than the first of their mailbox.", count_peers,
     write_misplaced},
    {"mailflow_delivery_latency_seconds", METRIC_HISTOGRAM, "peer, direction",
     "From the hand-over of the message data to its arrival in the mailbox.", count_paths,
     write_latency},
    {"mailflow_delivery_latency_last_seconds", METRIC_GAUGE, "peer, direction",
     "Delivery latency of the last probe that arrived.", count_paths, write_last_latency},
    {"mailflow_delivery_latency_error_seconds", METRIC_GAUGE, "peer, direction",
     "How far the last delivery latency may be off, either way.", count_paths, write_last_error},
    {"mailflow_probes_in_flight", METRIC_GAUGE, "peer",
     "Probes handed over whose fate is not known yet.", count_peers, write_in_flight},
    {"mailflow_oldest_in_flight_sent_timestamp_seconds", METRIC_GAUGE, "peer",
     "When the oldest probe in flight was sent, 0 when none is.", count_peers, write_oldest},
    {"mailflow_last_arrival_timestamp_seconds", METRIC_GAUGE, "peer, direction",
     "When the last probe arrived, 0 when none has.", count_paths, write_last_arrival},
    {"mailflow_path_state", METRIC_GAUGE, "peer, direction, state",
     "1 for the state that the path is in.", count_paths, write_state},
    {"mailflow_peer_heard_timestamp_seconds", METRIC_GAUGE, "peer",
     "When anything signed last came from the peer, 0 when nothing has.", count_peers, write_heard},
    {"mailflow_receipts_as_of_timestamp_seconds", METRIC_GAUGE, "peer",
     "Up to when the peer has told us what arrived there, 0 when it has not.", count_peers,
     write_receipts_as_of},
    {"mailflow_clock_offset_seconds", METRIC_GAUGE, "peer",
     "How far the peer's clock is ahead of ours; left out until an exchange, or mail both ways, "
     "has "
     "told it.",
     count_peers, write_clock_offset},
    {"mailflow_clock_error_seconds", METRIC_GAUGE, "peer", "How far that may be off, either way.",
     count_peers, write_clock_error},
    {"mailflow_clock_drift_ratio", METRIC_GAUGE, "peer",
     "Seconds that the peer's clock gains on ours in a second; left out until exchanges have told "
     "it.",
     count_peers, write_clock_drift},
    {"mailflow_path_thinned", METRIC_GAUGE, "peer",
     "1 while we send less often because nothing comes back.", count_peers, write_thinned},
};

const struct metric_families METRICS_OF_PEERS = {FAMILIES, sizeof FAMILIES / sizeof FAMILIES[0]};
