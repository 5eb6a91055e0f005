#include "core/cells.h"

#include <string.h>

#include "core/server.h"
#include "core/trouble.h"

// So many of those that can tell must see it for it to be the server's.
enum { MOST_PERCENT = 60, NAMES_SHOWN = 6 };

static const char *const NAMES[CULPRITS] = {
    [CULPRIT_UNKNOWN] = "unknown",   [CULPRIT_SERVER] = "server", [CULPRIT_SENDER] = "sender",
    [CULPRIT_RECEIVER] = "receiver", [CULPRIT_PATH] = "path",     [CULPRIT_SELF] = "self",
};

const char *culprit_name(enum culprit culprit)
{
    return NAMES[culprit];
}

bool culprit_parse(const char *name, enum culprit *out)
{
    for (int i = 0; i < CULPRITS; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *out = (enum culprit)i;
            return true;
        }
    }
    return false;
}

// The servers at the other ends of one server's paths, of one direction and view.
struct ends {
    unsigned count;
    char names[NAMES_SHOWN * SERVER_NAME_SIZE];
};

// Everything that is said of the paths of one server. Directions are those of its mail: OUTBOUND
// what it sends.
struct matrix_part {
    const char *server;
    struct ends ends[DIRECTIONS][ROW_BAD + 1];
    unsigned views[ROW_BAD + 1]; // of the server as a whole, by how many
    bool isolated;               // says its own agent, which can tell of what it sends
};

static void add_end(struct matrix_part *part, enum direction way, enum row_view view,
                    const char *name)
{
    struct ends *ends = &part->ends[way][view];
    size_t length = strlen(ends->names);
    struct text names = {.data = ends->names, .size = sizeof ends->names, .length = length};
    if (ends->count++ < NAMES_SHOWN) {
        text_format(&names, "%s%s", length > 0 ? "," : "", name);
    }
}

// What one agent says: `entry` is written from its side.
static void add_word(struct matrix_part *part, const char *teller, const struct row_entry *entry)
{
    add_end(part, OUTBOUND, entry->ways[INBOUND], teller);
    add_end(part, INBOUND, entry->ways[OUTBOUND], teller);
    part->views[row_entry_view(entry)]++;
}

// Our own view of the peer: as we tell it to others, and bad where that is what has opened.
static struct row_entry own_entry(const struct core *core, int peer, struct moment now)
{
    struct row_entry entry = {0};
    struct subject server = subject_of_server(peer);
    bool out = trouble_find(core, INCIDENT_DOWN, &server) != NULL ||
               trouble_find(core, INCIDENT_OVERRUN, &server) != NULL;
    for (int way = 0; way < DIRECTIONS; way++) {
        entry.ways[way] = out ? ROW_BAD : witness_way(core, peer, (enum direction)way, now);
    }
    return entry;
}

// That mail passes is believed only of what was written long enough after the trouble began; what
// is said to be bad has been so for long.
static struct row_entry entry_of(const struct core *core, int teller, int peer,
                                 struct instant believed_from, struct moment now)
{
    struct row_entry entry = {0};
    if (!core_row_is_fresh(core, teller, now) ||
        !row_find(core_row(core, teller), core->settings->peers[peer].name, &entry)) {
        return entry;
    }
    for (int way = 0; way < DIRECTIONS; way++) {
        if (entry.ways[way] == ROW_OK &&
            !instant_reached(core->peers[teller].row_at, believed_from)) {
            entry.ways[way] = ROW_UNKNOWN;
        }
    }
    return entry;
}

// An incident of a server is about its mail as a whole, but for `unheard`: what it sends.
static enum direction way_of(const struct incident *incident)
{
    if (incident->subject.kind == SUBJECT_PATH) {
        return incident->subject.direction == INBOUND ? OUTBOUND : INBOUND;
    }
    return OUTBOUND;
}

static void gather_peer(const struct core *core, const struct incident *incident, struct moment now,
                        struct matrix_part *part)
{
    int peer = incident->subject.peer;
    struct instant believed_from =
        instant_add(moment_instant_at(now, incident->began), witness_memory(core, peer));
    struct row_entry own = own_entry(core, peer, now);
    part->server = core->settings->peers[peer].name;
    part->isolated = way_of(incident) == OUTBOUND && exchange_says_isolated(core, peer, now);
    add_word(part, core->settings->server, &own);
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        if ((int)i != peer) {
            struct row_entry entry = entry_of(core, (int)i, peer, believed_from, now);
            add_word(part, core->settings->peers[i].name, &entry);
        }
    }
}

// Of our own server we know ourselves, each peer its path.
static void gather_own(const struct core *core, struct moment now, struct matrix_part *part)
{
    part->server = core->settings->server;
    for (size_t i = 0; i < core->settings->peer_count; i++) {
        for (int way = 0; way < DIRECTIONS; way++) {
            enum direction direction = (enum direction)way;
            enum row_view view = isolation_counts(core, (int)i, direction, now)
                                     ? ROW_BAD
                                     : witness_way(core, (int)i, direction, now);
            add_end(part, direction, view, core->settings->peers[i].name);
        }
    }
}

// ---- what it comes to ----

static bool is_most(unsigned bad, unsigned ok)
{
    return bad * 100 >= (bad + ok) * MOST_PERCENT;
}

static enum culprit culprit_of(const struct incident *incident)
{
    if (incident->kind == INCIDENT_DOWN || incident->kind == INCIDENT_OVERRUN) {
        return CULPRIT_SERVER;
    }
    return way_of(incident) == OUTBOUND ? CULPRIT_SENDER : CULPRIT_RECEIVER;
}

static void judge(const struct incident *incident, const struct matrix_part *part,
                  struct cells *cells)
{
    const struct ends *ends = part->ends[way_of(incident)];
    bool whole = culprit_of(incident) == CULPRIT_SERVER;
    unsigned bad = whole ? part->views[ROW_BAD] : ends[ROW_BAD].count;
    unsigned ok = whole ? part->views[ROW_OK] : ends[ROW_OK].count;
    bad += part->isolated;
    cells->seen_by = bad;
    cells->of = bad + ok;
    if (cells->of > 1) {
        cells->culprit = is_most(bad, ok) ? culprit_of(incident) : CULPRIT_PATH;
    }
}

// ---- in words ----

static void append_ends(struct text *out, const struct ends *ends)
{
    text_append(out, ends->names);
    if (ends->count > NAMES_SHOWN) {
        text_format(out, ",+%u", ends->count - NAMES_SHOWN);
    }
}

// As a whole, or dots in its place.
static void append_part(struct text *out, const struct matrix_part *part, enum direction way,
                        enum row_view view)
{
    static const char more[] = "; ...";
    const struct ends *ends = &part->ends[way][view];
    char words[sizeof ends->names + SERVER_NAME_SIZE + 32];
    struct text text = TEXT_OVER(words);
    if (ends->count == 0 || out->truncated) {
        return;
    }
    text_format(&text, "%s%s", out->length > 0 ? "; " : "", way == OUTBOUND ? part->server : "");
    text_append(&text, way == OUTBOUND ? "->" : "");
    append_ends(&text, ends);
    text_format(&text, "%s%s %s", way == INBOUND ? "->" : "", way == INBOUND ? part->server : "",
                row_view_name(view));
    if (out->length + text.length + sizeof more > out->size) {
        text_append(out, out->length > 0 ? more : more + 2);
        out->truncated = true;
    } else {
        text_append(out, words);
    }
}

// First, for it is the shortest and says most.
static void append_isolated(struct text *out, const struct matrix_part *part)
{
    if (part->isolated) {
        text_format(out, "%s isolated", part->server);
    }
}

static void describe(const struct matrix_part *part, enum direction first, struct text *out)
{
    enum direction second = first == OUTBOUND ? INBOUND : OUTBOUND;
    append_isolated(out, part);
    append_part(out, part, first, ROW_BAD);
    append_part(out, part, first, ROW_OK);
    append_part(out, part, second, ROW_BAD);
    append_part(out, part, second, ROW_OK);
}

static bool is_of_a_peer(const struct incident *incident)
{
    bool kind = incident->kind == INCIDENT_OVERRUN || incident->kind == INCIDENT_DOWN ||
                incident->kind == INCIDENT_UNHEARD || incident->kind == INCIDENT_REFUSED ||
                incident->kind == INCIDENT_SILENT;
    return kind && incident->subject.kind != SUBJECT_GONE && incident->subject.peer >= 0;
}

void cells_gather(const struct core *core, struct incident *incident, struct moment now)
{
    struct matrix_part part = {0};
    struct cells cells = {0};
    struct text paths = TEXT_OVER(cells.paths);
    if (incident->kind == INCIDENT_ISOLATED) {
        gather_own(core, now, &part);
        cells.culprit = CULPRIT_SELF;
        append_part(&paths, &part, INBOUND, ROW_BAD);
        append_part(&paths, &part, OUTBOUND, ROW_BAD);
    } else if (is_of_a_peer(incident)) {
        gather_peer(core, incident, now, &part);
        judge(incident, &part, &cells);
        if (cells.culprit != CULPRIT_UNKNOWN) {
            describe(&part, way_of(incident), &paths);
        }
    }
    incident->cells = cells;
}
