#include "shell/api_window.h"

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

enum { LISTED_PEERS = 16, LISTED_WHY_SIZE = 80 };

// A peer that does not know, and why.
static json_t *unknowing_to_json(const struct core *core, const struct window *window, int peer,
                                 enum api_window_detail detail)
{
    char why[INCIDENT_CAUSE_SIZE * 2];
    size_t size = detail == API_WINDOW_LISTED ? LISTED_WHY_SIZE : sizeof why;
    json_t *item = memory_checked(json_object());
    core_acknowledgement(core, window, peer, why, size);
    json_write_text(item, "peer", core_settings(core)->peers[peer].name);
    json_write_text(item, "why", why);
    return item;
}

// Who knows, or who does not, so many in all; of a list the first of them, and no more of the peers
// are looked at.
static json_t *peers_to_json(const struct core *core, const struct window *window, bool knowing,
                             size_t all, enum api_window_detail detail)
{
    const struct settings *settings = core_settings(core);
    json_t *list = memory_checked(json_array());
    size_t wanted = detail == API_WINDOW_LISTED && all > LISTED_PEERS ? LISTED_PEERS : all;
    for (int i = 0; i < (int)settings->peer_count && json_array_size(list) < wanted; i++) {
        if (core_acknowledges(core, window, i) && core_acknowledged(core, window, i) == knowing) {
            json_array_append_new(list, knowing ? api_json_text(settings->peers[i].name)
                                                : unknowing_to_json(core, window, i, detail));
        }
    }
    return list;
}

// Of a window that this agent has from a peer both lists are empty: its announcer asks who knows.
static void write_acknowledged(json_t *object, const struct core *core, const struct window *window,
                               enum api_window_detail detail)
{
    struct acknowledgement_count count = core_acknowledgement_count(core, window);
    json_write_integer(object, "peers_known", count.known);
    json_write_integer(object, "peers", count.of);
    json_write_object(object, "acknowledged",
                      peers_to_json(core, window, true, count.known, detail));
    json_write_object(object, "unacknowledged",
                      peers_to_json(core, window, false, count.of - count.known, detail));
}

json_t *api_json_window(const struct agent *agent, const struct window *window, struct walltime now,
                        enum api_window_detail detail)
{
    struct span recovery = agent_settings(agent)->maintenance.recovery;
    json_t *object = memory_checked(json_object());
    json_write_text(object, "id", window->id);
    json_write_integer(object, "revision", window->revision);
    json_write_text(object, "server", window->server);
    json_write_text(object, "kind", window_kind_name(window->kind));
    json_write_text(object, "state", window_state_name(window_state_at(window, now, recovery)));
    api_json_time(object, "begin", window->begin);
    api_json_time(object, "end", window->end);
    api_json_time(object, "recovered", walltime_add(window->end, recovery));
    json_write_boolean(object, "cancelled", window->cancelled);
    json_write_text(object, "by", window->by);
    json_write_text(object, "origin", window_origin_name(window->origin));
    json_write_text(object, "reason", window->reason);
    write_acknowledged(object, agent_core(agent), window, detail);
    json_write_boolean(object, "suppressing",
                       window_suppresses(window, now, agent_settings(agent)->maintenance.settle));
    json_write_integer(object, "suppressed",
                       store_count_suppressed(agent_store(agent), window->id));
    return object;
}
