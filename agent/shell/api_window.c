#include "shell/api_window.h"

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

json_t *api_json_window(const struct agent *agent, const struct window *window, struct walltime now)
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
    json_write_integer(object, "suppressed",
                       store_count_suppressed(agent_store(agent), window->id));
    return object;
}
