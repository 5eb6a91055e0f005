// What the agents tell each other of third servers: our own row, and the rows of the others.
#include <string.h>

#include "core/row.h"
#include "core/trouble.h"

struct span witness_memory(const struct core *core, int peer)
{
    const struct peer *state = &core->peers[peer];
    struct span interval =
        span_longer(state->inbound.sender_interval, state->settings->path.interval);
    return span_add(span_times(interval, 2), state->settings->path.latency.warning);
}

// Mail has come through either way not long ago; that it has not is known only of whom we watch.
static enum row_view view_of(const struct core *core, int peer, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    struct span fresh = witness_memory(core, peer);
    struct subject inbound = subject_of_path(peer, INBOUND);
    struct subject outbound = subject_of_path(peer, OUTBOUND);
    if (state->passed.ns != 0 && instant_since(now.instant, state->passed).ns <= fresh.ns) {
        return ROW_OK;
    }
    bool troubled = trouble_find(core, INCIDENT_SILENT, &inbound) != NULL ||
                    trouble_find(core, INCIDENT_SILENT, &outbound) != NULL;
    return troubled && inbound_readable(core) ? ROW_BAD : ROW_UNKNOWN;
}

// Not always from the first one on: where there are too many, each has its turn.
static void add_list(const struct core *core, enum row_view view, struct moment now,
                     struct text *out)
{
    enum { LOOKED_AT = 256 }; // more would not fit, and each probe says something
    size_t count = core->settings->peer_count;
    size_t some = count < LOOKED_AT ? count : LOOKED_AT;
    size_t turn = (size_t)(now.wall.ns / SPAN_MINUTES(1).ns);
    size_t start = count == 0 ? 0 : turn * (count > some ? some : 1) % count;
    bool first = true;
    for (size_t i = 0; i < some; i++) {
        size_t peer = (start + i) % count;
        if (view_of(core, (int)peer, now) == view) {
            if (!row_add(out, view, core->settings->peers[peer].name, first)) {
                return;
            }
            first = false;
        }
    }
}

void witness_compose(const struct core *core, struct moment now, struct text *out)
{
    add_list(core, ROW_BAD, now, out);
    add_list(core, ROW_OK, now, out);
}

void witness_take(struct core *core, int peer, const char *row, struct instant at)
{
    struct peer *state = &core->peers[peer];
    if (row[0] != '\0' && at.ns >= state->row_at.ns && strlen(row) < sizeof state->row) {
        text_copy(state->row, sizeof state->row, row);
        state->row_at = at;
    }
}

int core_witness(const struct core *core, int peer, struct moment now)
{
    const char *server = core->settings->peers[peer].name;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        const struct peer *other = &core->peers[i];
        struct span interval =
            span_longer(other->inbound.sender_interval, other->settings->path.interval);
        bool fresh = other->row_at.ns != 0 &&
                     instant_since(now.instant, other->row_at).ns <= span_times(interval, 2).ns;
        if ((int)i != peer && fresh && row_find(other->row, server) == ROW_OK) {
            return (int)i;
        }
    }
    return -1;
}
