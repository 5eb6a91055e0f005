#include "core/row.h"
#include "core/server.h"
#include "core/trouble.h"

static const char *const PATH_STATE_NAMES[PATH_STATES] = {
    "ok", "slow", "silent", "refused", "maintenance", "recovering", "unknown",
};

const struct settings *core_settings(const struct core *core)
{
    return core->settings;
}

const struct peer *core_peer(const struct core *core, int peer)
{
    return &core->peers[peer];
}

const struct mailbox *core_mailbox(const struct core *core, int mailbox)
{
    return &core->mailboxes[mailbox];
}

const struct agent_stats *core_stats(const struct core *core)
{
    return &core->stats;
}

const struct histogram_edges *core_histogram_edges(const struct core *core)
{
    return &core->edges;
}

const struct windows *core_windows(const struct core *core)
{
    return &core->windows;
}

const struct incidents *core_incidents(const struct core *core)
{
    return &core->incidents;
}

const struct incident_counts *core_incident_counts(const struct core *core, enum incident_kind kind,
                                                   enum severity severity)
{
    return &core->incident_counts[kind][severity];
}

const char *path_state_name(enum path_state state)
{
    return PATH_STATE_NAMES[state];
}

static enum path_state window_path_state(const struct core *core, int peer, struct walltime now)
{
    enum path_state state = PATH_UNKNOWN;
    for (size_t i = 0; i < core->windows.count; i++) {
        const struct window *window = &core->windows.items[i];
        if (!path_touches(core, peer, window->server)) {
            continue;
        }
        enum window_state of = window_state_at(window, now, core->settings->maintenance.recovery);
        if (of == WINDOW_ACTIVE) {
            return PATH_MAINTENANCE;
        }
        state = of == WINDOW_RECOVERING ? PATH_RECOVERING : state;
    }
    return state;
}

// What was sent is overdue, or what should have come is, and no incident says so (yet): receipts
// have not come, the mailbox cannot be read, our own start still settles.
static bool without_evidence(const struct core *core, int peer, enum direction direction,
                             const struct path *path, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    if (direction == INBOUND) {
        struct span age = instant_since(now.instant, path->watch_from);
        struct span limit = path_silence_limit(state, state->inbound.sender_interval);
        return !inbound_readable(core) || age.ns > limit.ns;
    }
    struct span limit = path_silence_limit(state, state->settings->path.interval);
    const struct flights *flights = &state->outbound.flights;
    for (size_t i = 0; i < flights->count; i++) {
        if (flights->items[i].sent.ns > path->last_sent.ns) {
            return walltime_since(now.wall, flights->items[i].sent).ns > limit.ns;
        }
    }
    return false;
}

// Mail has not come back after a window of either end, or the peer is down.
static bool is_cut_off(const struct core *core, int peer)
{
    struct subject server = subject_of_server(peer), own = subject_of_server(OWN_SERVER);
    return trouble_find(core, INCIDENT_OVERRUN, &server) != NULL ||
           trouble_find(core, INCIDENT_OVERRUN, &own) != NULL ||
           trouble_find(core, INCIDENT_DOWN, &server) != NULL;
}

enum path_state core_path_state(const struct core *core, int peer, enum direction direction,
                                struct moment now)
{
    const struct peer *state = &core->peers[peer];
    const struct path *path = direction == OUTBOUND ? &state->outbound.path : &state->inbound.path;
    struct subject subject = subject_of_path(peer, direction);
    enum path_state by_window = window_path_state(core, peer, now.wall);
    if (by_window == PATH_MAINTENANCE) {
        return by_window;
    }
    if (trouble_find(core, INCIDENT_REFUSED, &subject) != NULL ||
        (direction == OUTBOUND && finding_bounces(core, peer))) {
        return PATH_REFUSED;
    }
    if (trouble_find(core, INCIDENT_SILENT, &subject) != NULL || is_cut_off(core, peer)) {
        return PATH_SILENT;
    }
    if (trouble_find(core, INCIDENT_SLOW, &subject) != NULL) {
        return PATH_SLOW;
    }
    if (by_window == PATH_RECOVERING) {
        return PATH_RECOVERING;
    }
    bool known =
        walltime_known(path->last_arrival) && !without_evidence(core, peer, direction, path, now);
    return known ? PATH_OK : PATH_UNKNOWN;
}

struct span core_clock_error(const struct core *core)
{
    return core->clock_error;
}

struct clock_estimate core_clock(const struct core *core, int peer, struct moment now)
{
    return clock_relation_estimate(&core->peers[peer].clock, now.instant);
}

void core_path_text(const struct core *core, int peer, enum direction direction,
                    char text[SUBJECT_TEXT_SIZE])
{
    const char *own = core->settings->server, *other = core->peers[peer].settings->name;
    struct text out = text_over(text, SUBJECT_TEXT_SIZE);
    text_format(&out, "%s->%s", direction == OUTBOUND ? own : other,
                direction == OUTBOUND ? other : own);
}

struct walltime core_collected(const struct core *core)
{
    struct walltime as_of = {INT64_MAX};
    for (size_t i = 0; i < core->settings->mailbox_count; i++) {
        if (!core->mailboxes[i].foreign_collects) {
            as_of = walltime_earlier(as_of, core->mailboxes[i].complete);
        }
    }
    return as_of.ns == INT64_MAX ? WALLTIME_NONE : as_of;
}

// The newest go always, for they are what the peer waits for; the oldest next, so that what it
// lacks shrinks with every probe; the middle waits and is declared as a gap.
static void gather_receipts(const struct core *core, int peer, size_t most, struct receipts *out)
{
    const struct inbound *inbound = &core->peers[peer].inbound;
    size_t count = inbound->unseen_count;
    *out = (struct receipts){.as_of = core_collected(core), .seen = inbound->receipts_seen};
    size_t newest = count <= most ? count : most / 4;
    size_t oldest = count <= most ? 0 : most - most / 4;
    for (size_t i = 0; i < newest; i++) {
        out->items[out->count++] = inbound->unseen[count - 1 - i].receipt;
    }
    for (size_t i = oldest; i > 0; i--) {
        out->items[out->count++] = inbound->unseen[i - 1].receipt;
    }
    if (oldest > 0) {
        out->gap_begin = inbound->unseen[oldest - 1].place;
        out->gap_end = inbound->unseen[count - newest].place;
    }
}

void core_compose(const struct core *core, int peer, struct moment now, struct exchange *out)
{
    // Together they leave room for the rest of a message of 4 KiB.
    enum { TOGETHER = 2900, MAINTENANCE_SIZE = 2000, RECEIPTS_LEAST = 8 };
    enum { RECEIPTS_FIXED = 92, RECEIPT_LENGTH = 56 };
    struct text maintenance = text_over(out->maintenance, MAINTENANCE_SIZE);
    struct text row = text_over(out->row, ROW_SIZE), list = TEXT_OVER(out->receipts);
    struct receipts receipts;
    courier_compose(core, peer, now, &maintenance);
    witness_compose(core, now, &row);
    size_t taken = maintenance.length + row.length + RECEIPTS_FIXED;
    size_t most = taken >= TOGETHER ? 0 : (TOGETHER - taken) / RECEIPT_LENGTH;
    most = most < RECEIPTS_LEAST ? RECEIPTS_LEAST : most;
    gather_receipts(core, peer, most < RECEIPTS_MAXIMUM ? most : RECEIPTS_MAXIMUM, &receipts);
    receipts_format(&receipts, &list);
    out->isolated = isolation_is_open(core);
}
