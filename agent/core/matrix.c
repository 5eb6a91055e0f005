#include "core/matrix.h"

#include <string.h>

#include "core/server.h"

// Of a row: the shortest name has one letter and a blank before it.
enum { ROW_ENTRIES = ROW_SIZE / 2 };

static void add_word(struct matrix_cell *cell, const char *by, enum row_view view, bool dated,
                     struct span age)
{
    struct matrix_word *word = &cell->words[cell->word_count++];
    *word = (struct matrix_word){.view = view, .dated = dated, .age = age};
    text_copy(word->by, sizeof word->by, by);
    cell->view = cell->view == ROW_UNKNOWN ? view : cell->view;
}

// What a peer's row says of its path with a server, one way; nothing when it is not in it.
static void add_row(const struct core *core, struct matrix_cell *cell, int teller,
                    const char *server, enum direction way, struct moment now)
{
    struct row_entry entry;
    const struct peer *peer = &core->peers[teller];
    if (!row_find(peer->row, server, &entry) || entry.ways[way] == ROW_UNKNOWN) {
        return;
    }
    bool fresh = core_row_is_fresh(core, teller, now);
    add_word(cell, peer->settings->name, fresh ? entry.ways[way] : ROW_UNKNOWN, true,
             instant_since(now.instant, peer->row_at));
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

size_t matrix_places(const struct core *core)
{
    return core->settings->peer_count * (1 + ROW_ENTRIES);
}

static bool nth_entry(const char *row, size_t n, struct row_entry *out)
{
    struct row_reader reader = row_read(row);
    for (size_t i = 0; i < n; i++) {
        if (!row_next(&reader, out)) {
            return false;
        }
    }
    return row_next(&reader, out);
}

// Of a server that we do not know, its peer's word is all there is.
static struct matrix_cell strange_cell(const struct core *core, int teller,
                                       const struct row_entry *entry, enum direction way,
                                       struct moment now)
{
    const char *name = core->settings->peers[teller].name;
    struct matrix_cell cell =
        way == INBOUND ? cell_of(entry->server, name) : cell_of(name, entry->server);
    add_row(core, &cell, teller, entry->server, way, now);
    return cell;
}

// The cell stands where its first word does, so that it stands once.
static size_t read_entry(const struct core *core, int teller, const struct row_entry *entry,
                         struct moment now, struct matrix_cell out[2])
{
    size_t count = 0;
    int server = core_find_peer(core, entry->server);
    const char *name = core->settings->peers[teller].name;
    for (int way = 0; way < DIRECTIONS; way++) {
        if (entry->ways[way] == ROW_UNKNOWN) {
            continue;
        }
        struct matrix_cell cell = server < 0
                                      ? strange_cell(core, teller, entry, (enum direction)way, now)
                                  : way == INBOUND ? matrix_between(core, server, teller, now)
                                                   : matrix_between(core, teller, server, now);
        if (cell.word_count > 0 && strcmp(cell.words[0].by, name) == 0) {
            out[count++] = cell;
        }
    }
    return count;
}

size_t matrix_read(const struct core *core, size_t place, struct moment now,
                   struct matrix_cell out[2])
{
    size_t peers = core->settings->peer_count;
    if (place < peers) {
        out[0] = matrix_between(core, OWN_SERVER, (int)place, now);
        out[1] = matrix_between(core, (int)place, OWN_SERVER, now);
        return core->peers[place].collect < 0 ? 2 : 1; // nothing comes from a server without agent
    }
    int teller = (int)((place - peers) / ROW_ENTRIES);
    struct row_entry entry;
    bool ours_or_none =
        !nth_entry(core->peers[teller].row, (place - peers) % ROW_ENTRIES, &entry) ||
        strcmp(entry.server, core->settings->server) == 0 ||
        strcmp(entry.server, core->settings->peers[teller].name) == 0;
    return ours_or_none ? 0 : read_entry(core, teller, &entry, now, out);
}
