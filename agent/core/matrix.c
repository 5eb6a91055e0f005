#include "core/matrix.h"

#include <string.h>

#include "core/server.h"

static void add_word(struct matrix_cell *cell, const char *by, enum row_view view, bool dated,
                     struct span age)
{
    struct matrix_word *word = &cell->words[cell->word_count++];
    *word = (struct matrix_word){.view = view, .dated = dated, .age = age};
    text_copy(word->by, sizeof word->by, by);
    cell->view = cell->view == ROW_UNKNOWN ? view : cell->view;
}

// What a peer's row says, in this entry, of its path with a server, one way.
static void add_entry(const struct core *core, struct matrix_cell *cell, int teller,
                      const struct row_entry *entry, enum direction way, struct moment now)
{
    if (entry->ways[way] != ROW_UNKNOWN) {
        const struct peer *peer = &core->peers[teller];
        bool fresh = core_row_is_fresh(core, teller, now);
        add_word(cell, peer->settings->name, fresh ? entry->ways[way] : ROW_UNKNOWN, true,
                 instant_since(now.instant, peer->row_at));
    }
}

static void add_row(const struct core *core, struct matrix_cell *cell, int teller,
                    const char *server, enum direction way, struct moment now)
{
    struct row_entry entry;
    if (row_find(core_row(core, teller), server, &entry)) {
        add_entry(core, cell, teller, &entry, way, now);
    }
}

static void add_measured(const struct core *core, struct matrix_cell *cell, int peer,
                         enum direction direction, struct moment now)
{
    static const enum row_view VIEWS[PATH_STATES] = {
        [PATH_OK] = ROW_OK,
        [PATH_SLOW] = ROW_OK,
        [PATH_SILENT] = ROW_BAD,
        [PATH_REFUSED] = ROW_BAD,
    };
    const struct peer *state = &core->peers[peer];
    const struct path *path = direction == OUTBOUND ? &state->outbound.path : &state->inbound.path;
    bool arrived = walltime_known(path->last_arrival);
    cell->peer = peer;
    cell->direction = direction;
    add_word(cell, core->settings->server, VIEWS[core_path_state(core, peer, direction, now)],
             arrived, arrived ? walltime_since(now.wall, path->last_arrival) : SPAN_ZERO);
}

static struct matrix_cell cell_of(const char *from, const char *to)
{
    struct matrix_cell cell = {.peer = -1};
    text_copy(cell.from, sizeof cell.from, from);
    text_copy(cell.to, sizeof cell.to, to);
    return cell;
}

struct matrix_cell matrix_between(const struct core *core, int from, int to, struct moment now)
{
    struct matrix_cell cell = cell_of(server_name(core, from), server_name(core, to));
    if (to == OWN_SERVER) {
        add_measured(core, &cell, from, INBOUND, now);
    } else if (from == OWN_SERVER) { // what we know of it, we have from the receiver
        add_measured(core, &cell, to, OUTBOUND, now);
    } else {
        add_row(core, &cell, to, cell.from, INBOUND, now);
    }
    if (from != OWN_SERVER) {
        add_row(core, &cell, from, cell.to, OUTBOUND, now);
    } else {
        add_row(core, &cell, to, cell.from, INBOUND, now);
    }
    return cell;
}

// First what we measure with each peer, then what is in the row of each.
size_t matrix_places(const struct core *core)
{
    return core->settings->peer_count * 2;
}

static void visit_measured(const struct core *core, int peer, struct moment now,
                           matrix_visitor *visit, void *context)
{
    struct matrix_cell cell = matrix_between(core, OWN_SERVER, peer, now);
    visit(context, &cell);
    if (core->peers[peer].collect < 0) { // nothing comes from a server without agent
        cell = matrix_between(core, peer, OWN_SERVER, now);
        visit(context, &cell);
    }
}

// The cell stands where its first word does, so that it stands once. Of a server that we do not
// know, its peer's word is all there is.
static void visit_entry(const struct core *core, int teller, const struct row_entry *entry,
                        struct moment now, matrix_visitor *visit, void *context)
{
    const char *name = core->settings->peers[teller].name;
    int server = core_find_peer(core, entry->server);
    struct row_entry other = {0};
    if (server >= 0) {
        row_find(core_row(core, server), name, &other);
    }
    if (entry->ways[OUTBOUND] != ROW_UNKNOWN && other.ways[INBOUND] == ROW_UNKNOWN) {
        struct matrix_cell cell = cell_of(name, entry->server);
        add_entry(core, &cell, teller, entry, OUTBOUND, now);
        visit(context, &cell);
    }
    if (entry->ways[INBOUND] != ROW_UNKNOWN) {
        struct matrix_cell cell = cell_of(entry->server, name);
        add_entry(core, &cell, teller, entry, INBOUND, now);
        add_entry(core, &cell, server, &other, OUTBOUND, now);
        visit(context, &cell);
    }
}

void matrix_visit(const struct core *core, size_t place, struct moment now, matrix_visitor *visit,
                  void *context)
{
    size_t peers = core->settings->peer_count;
    if (place < peers) {
        visit_measured(core, (int)place, now, visit, context);
        return;
    }
    int teller = (int)(place - peers);
    struct row_reader reader = row_read(core_row(core, teller));
    struct row_entry entry;
    while (row_next(&reader, &entry)) {
        if (strcmp(entry.server, core->settings->server) != 0 &&
            strcmp(entry.server, core->settings->peers[teller].name) != 0) {
            visit_entry(core, teller, &entry, now, visit, context);
        }
    }
}
