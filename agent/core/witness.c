// What the agents tell each other of third servers: our own row, and the rows of the others.
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "core/row.h"
#include "core/trouble.h"

struct span witness_memory(const struct core *core, int peer)
{
    const struct peer *state = &core->peers[peer];
    struct span interval =
        span_longer(state->inbound.sender_interval, state->settings->path.interval);
    return span_add(span_times(interval, 2), state->settings->path.latency.warning);
}

// Mail has come through not long ago; that it has not is known only of whom we watch.
enum row_view witness_way(const struct core *core, int peer, enum direction way, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    struct subject path = subject_of_path(peer, way);
    if (trouble_find(core, INCIDENT_REFUSED, &path) != NULL) {
        return ROW_BAD;
    }
    if (state->passed[way].ns != 0 &&
        instant_since(now.instant, state->passed[way]).ns <= witness_memory(core, peer).ns) {
        return ROW_OK;
    }
    bool silent = trouble_find(core, INCIDENT_SILENT, &path) != NULL;
    return silent && inbound_readable(core) ? ROW_BAD : ROW_UNKNOWN;
}

// Not always from the first one on: where there are too many, each has its turn.
void witness_compose(const struct core *core, struct moment now, struct text *out)
{
    enum { LOOKED_AT = 256 }; // more would not fit, and each probe says something
    struct row_entry entries[LOOKED_AT];
    size_t count = core->settings->peer_count;
    size_t some = count < LOOKED_AT ? count : LOOKED_AT;
    size_t turn = (size_t)(now.wall.ns / SPAN_MINUTES(1).ns);
    size_t start = count == 0 ? 0 : turn * (count > some ? some : 1) % count;
    for (size_t i = 0; i < some; i++) {
        int peer = (int)((start + i) % count);
        for (int way = 0; way < DIRECTIONS; way++) {
            entries[i].ways[way] = witness_way(core, peer, (enum direction)way, now);
        }
        text_copy(entries[i].server, SERVER_NAME_SIZE, core->settings->peers[peer].name);
    }
    row_format(entries, some, out);
}

void witness_take(struct core *core, int peer, const char *row, struct instant at)
{
    struct peer *state = &core->peers[peer];
    size_t size = strlen(row) + 1;
    if (size > 1 && size <= ROW_SIZE && at.ns >= state->row_at.ns) {
        state->row = memory_checked(realloc(state->row, size));
        memcpy(state->row, row, size);
        state->row_at = at;
    }
}

const char *core_row(const struct core *core, int peer)
{
    const char *row = core->peers[peer].row;
    return row == NULL ? "" : row;
}

bool core_row_is_fresh(const struct core *core, int peer, struct moment now)
{
    const struct peer *state = &core->peers[peer];
    struct span interval =
        span_longer(state->inbound.sender_interval, state->settings->path.interval);
    return state->row_at.ns != 0 &&
           instant_since(now.instant, state->row_at).ns <= span_times(interval, 2).ns;
}

int core_witness(const struct core *core, int peer, struct moment now)
{
    const char *server = core->settings->peers[peer].name;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        struct row_entry entry;
        if ((int)i != peer && core_row_is_fresh(core, (int)i, now) &&
            row_find(core_row(core, (int)i), server, &entry) && row_entry_view(&entry) == ROW_OK) {
            return (int)i;
        }
    }
    return -1;
}
