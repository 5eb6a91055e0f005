#include "shell/api_mesh.h"

#include <string.h>

#include "base/error.h"
#include "core/matrix.h"
#include "probes/json_values.h"
#include "shell/api_json.h"
#include "shell/api_list.h"

// ---- servers: ours first ----

static size_t count_servers(const struct agent *agent)
{
    return agent_settings(agent)->peer_count + 1;
}

// What its windows make of it: the one that matters most.
static json_t *window_state_of(const struct agent *agent, const char *server, struct walltime now)
{
    const struct windows *windows = core_windows(agent_core(agent));
    struct span recovery = agent_settings(agent)->maintenance.recovery;
    bool recovering = false;
    for (size_t i = 0; i < windows->count; i++) {
        if (strcmp(windows->items[i].server, server) == 0) {
            enum window_state state = window_state_at(&windows->items[i], now, recovery);
            if (state == WINDOW_ACTIVE) {
                return api_json_text("active");
            }
            recovering = recovering || state == WINDOW_RECOVERING;
        }
    }
    return recovering ? api_json_text("recovering") : json_null();
}

// What the peer's agent says of itself: the rows do not tell.
static json_t *words_of(const struct agent *agent, int peer, struct moment now)
{
    json_t *words = memory_checked(json_array());
    if (core_exchange_is_fresh(agent_core(agent), peer, now)) {
        const struct exchange_peer *said = &agent_exchanges(agent)->peers[peer];
        const struct {
            bool said;
            const char *word;
        } ALL[] = {
            {core_peer(agent_core(agent), peer)->exchange.isolated, "isolated"},
            {said->blind, "blind"},
            {said->draining, "draining"},
        };
        for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
            if (ALL[i].said) {
                json_array_append_new(words, api_json_text(ALL[i].word));
            }
        }
    }
    return words;
}

static json_t *server_item(const struct agent *agent, size_t index, struct moment now)
{
    const struct core *core = agent_core(agent);
    const struct settings *settings = agent_settings(agent);
    const struct peer *peer = index == 0 ? NULL : core_peer(core, (int)index - 1);
    const char *name = peer == NULL ? settings->server : peer->settings->name;
    bool dated = peer != NULL && peer->row_at.ns != 0;
    json_t *object = memory_checked(json_object());
    json_write_text(object, "name", name);
    json_write_boolean(object, "own", peer == NULL);
    json_write_boolean(object, "agent", peer == NULL || peer->collect < 0);
    json_write_object(object, "maintenance", window_state_of(agent, name, now.wall));
    api_json_span_if(object, "row_age_seconds", dated,
                     dated ? instant_since(now.instant, peer->row_at) : SPAN_ZERO);
    json_write_boolean(object, "row_fresh",
                       peer == NULL || core_row_is_fresh(core, (int)index - 1, now));
    json_write_object(object, "says",
                      peer == NULL ? memory_checked(json_array())
                                   : words_of(agent, (int)index - 1, now));
    return object;
}

// ---- cells ----

static size_t count_places(const struct agent *agent)
{
    return matrix_places(agent_core(agent));
}

static json_t *words_to_json(const struct matrix_cell *cell)
{
    json_t *words = memory_checked(json_array());
    for (size_t i = 0; i < cell->word_count; i++) {
        const struct matrix_word *word = &cell->words[i];
        json_t *object = memory_checked(json_object());
        json_write_text(object, "by", word->by);
        json_write_text(object, "state", row_view_name(word->view));
        api_json_span_if(object, "age_seconds", word->dated, word->age);
        json_array_append_new(words, object);
    }
    return words;
}

static json_t *cell_to_json(const struct core *core, const struct matrix_cell *cell,
                            struct moment now)
{
    json_t *object = memory_checked(json_object());
    char path[SUBJECT_TEXT_SIZE];
    struct text text = TEXT_OVER(path);
    text_format(&text, "%s->%s", cell->from, cell->to);
    json_write_text(object, "path", path);
    json_write_text(object, "from", cell->from);
    json_write_text(object, "to", cell->to);
    json_write_text(object, "state", row_view_name(cell->view));
    if (cell->peer >= 0) {
        const struct peer *peer = core_peer(core, cell->peer);
        const struct path *own =
            cell->direction == OUTBOUND ? &peer->outbound.path : &peer->inbound.path;
        enum path_state state = core_path_state(core, cell->peer, cell->direction, now);
        json_write_text(object, "path_state", path_state_name(state));
        api_json_span_if(object, "latency_seconds", walltime_known(own->last_arrival),
                         own->last_latency);
    }
    json_write_object(object, "said", words_to_json(cell));
    return object;
}

struct gathering {
    const struct core *core;
    struct moment now;
    const enum row_view *only; // NULL: any
    json_t *cells;             // NULL before the first
};

static void gather(void *context, const struct matrix_cell *cell)
{
    struct gathering *gathering = context;
    if (gathering->only != NULL && cell->view != *gathering->only) {
        return;
    }
    if (gathering->cells == NULL) {
        gathering->cells = memory_checked(json_array());
    }
    json_array_append_new(gathering->cells, cell_to_json(gathering->core, cell, gathering->now));
}

static json_t *cells_at(const struct agent *agent, size_t place, struct moment now,
                        const enum row_view *only)
{
    struct gathering gathering = {agent_core(agent), now, only, NULL};
    matrix_visit(gathering.core, place, now, gather, &gathering);
    return gathering.cells;
}

static json_t *any_cells(const struct agent *agent, size_t place, struct moment now)
{
    return cells_at(agent, place, now, NULL);
}

static json_t *ok_cells(const struct agent *agent, size_t place, struct moment now)
{
    return cells_at(agent, place, now, &(enum row_view){ROW_OK});
}

static json_t *bad_cells(const struct agent *agent, size_t place, struct moment now)
{
    return cells_at(agent, place, now, &(enum row_view){ROW_BAD});
}

static json_t *unknown_cells(const struct agent *agent, size_t place, struct moment now)
{
    return cells_at(agent, place, now, &(enum row_view){ROW_UNKNOWN});
}

static const struct api_list SERVERS = {"servers", count_servers, server_item};
static const struct api_list ANY_CELLS = {"cells", count_places, any_cells};
static const struct api_list CELLS[] = {
    [ROW_UNKNOWN] = {"cells", count_places, unknown_cells},
    [ROW_OK] = {"cells", count_places, ok_cells},
    [ROW_BAD] = {"cells", count_places, bad_cells},
};

// ---- the answer ----

static const struct api_list *find_cells(const char *state)
{
    for (size_t i = 0; i < sizeof CELLS / sizeof CELLS[0]; i++) {
        if (strcmp(state, row_view_name((enum row_view)i)) == 0) {
            return &CELLS[i];
        }
    }
    return NULL;
}

void api_read_mesh(struct agent *agent, const struct http_request *request,
                   struct http_response *response)
{
    const struct api_list *cells = &ANY_CELLS;
    for (size_t i = 0; i < request->argument_count; i++) {
        const struct http_argument *argument = &request->arguments[i];
        cells = strcmp(argument->name, "state") == 0 ? find_cells(argument->value) : NULL;
        if (cells == NULL) {
            http_respond_problem(response, 400,
                                 "the mesh is asked for with state=ok, bad or "
                                 "unknown, or with nothing");
            return;
        }
    }
    const struct api_list *const lists[] = {&SERVERS, cells, NULL};
    json_t *head = memory_checked(json_object());
    json_write_text(head, "server", agent_settings(agent)->server);
    api_json_time(head, "now", request->now.wall);
    api_list_respond(agent, request->now, head, lists, response);
}
