#include "shell/api_window.h"

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

// Both lists are empty for a window that this agent has from a peer: its announcer asks who knows.
static void write_acknowledged(json_t *object, const struct agent *agent,
                               const struct window *window, size_t peers)
{
    const struct core *core = agent_core(agent);
    const struct settings *settings = agent_settings(agent);
    json_t *known = memory_checked(json_array()), *unknown = memory_checked(json_array());
    for (size_t i = 0; i < settings->peer_count; i++) {
        char why[INCIDENT_CAUSE_SIZE * 2] = "";
        if (!core_acknowledges(core, window, (int)i)) {
            continue;
        }
        if (core_acknowledgement(core, window, (int)i, why, sizeof why) == ACKNOWLEDGED) {
            if (json_array_size(known) < peers) {
                json_array_append_new(known, api_json_text(settings->peers[i].name));
            }
        } else if (json_array_size(unknown) < peers) {
            json_t *peer = memory_checked(json_object());
            json_write_text(peer, "peer", settings->peers[i].name);
            json_write_text(peer, "why", why);
            json_array_append_new(unknown, peer);
        }
    }
    struct acknowledgement_count count = core_acknowledgement_count(core, window);
    json_write_integer(object, "peers_known", count.known);
    json_write_integer(object, "peers", count.of);
    json_write_object(object, "acknowledged", known);
    json_write_object(object, "unacknowledged", unknown);
}

json_t *api_json_window(const struct agent *agent, const struct window *window, struct walltime now,
                        size_t peers)
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
    write_acknowledged(object, agent, window, peers);
    json_write_boolean(object, "suppressing",
                       window_suppresses(window, now, agent_settings(agent)->maintenance.settle));
    json_write_integer(object, "suppressed",
                       store_count_suppressed(agent_store(agent), window->id));
    return object;
}
