#include "shell/api_window.h"

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

enum { LISTED_PEERS = 16, LISTED_WHY_SIZE = 80 };

// Who knows, or who does not and why.
static json_t *peers_to_json(const struct agent *agent, const struct window *window, bool knowing,
                             enum api_window_detail detail)
{
    const struct core *core = agent_core(agent);
    const struct settings *settings = agent_settings(agent);
    json_t *list = memory_checked(json_array());
    for (size_t i = 0; i < settings->peer_count; i++) {
        char why[INCIDENT_CAUSE_SIZE * 2] = "";
        size_t size = detail == API_WINDOW_LISTED ? LISTED_WHY_SIZE : sizeof why;
        bool full = detail == API_WINDOW_LISTED && json_array_size(list) == LISTED_PEERS;
        if (full || !core_acknowledges(core, window, (int)i) ||
            (core_acknowledgement(core, window, (int)i, why, size) == ACKNOWLEDGED) != knowing) {
            continue;
        }
        json_t *name = api_json_text(settings->peers[i].name);
        json_t *item = knowing ? name : memory_checked(json_object());
        if (!knowing) {
            json_write_object(item, "peer", name);
            json_write_text(item, "why", why);
        }
        json_array_append_new(list, item);
    }
    return list;
}

// Of a window that this agent has from a peer both lists are empty: its announcer asks who knows.
static void write_acknowledged(json_t *object, const struct agent *agent,
                               const struct window *window, enum api_window_detail detail)
{
    struct acknowledgement_count count = core_acknowledgement_count(agent_core(agent), window);
    json_write_integer(object, "peers_known", count.known);
    json_write_integer(object, "peers", count.of);
    json_write_object(object, "acknowledged", peers_to_json(agent, window, true, detail));
    json_write_object(object, "unacknowledged", peers_to_json(agent, window, false, detail));
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
    json_write_boolean(object, "cancelled", window->cancelled);
    json_write_text(object, "by", window->by);
    json_write_text(object, "origin", window_origin_name(window->origin));
    json_write_text(object, "reason", window->reason);
    write_acknowledged(object, agent, window, detail);
    json_write_boolean(object, "suppressing",
                       window_suppresses(window, now, agent_settings(agent)->maintenance.settle));
    json_write_integer(object, "suppressed",
                       store_count_suppressed(agent_store(agent), window->id));
    return object;
}
