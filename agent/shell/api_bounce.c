#include "shell/api_bounce.h"

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

static void write_one(json_t *object, const char *name, struct store *store,
                      const struct probe_id *probe, enum bounce_action action)
{
    struct store_bounce told;
    if (!store_get_bounce(store, probe, action, &told)) {
        api_json_null(object, name);
        return;
    }
    json_t *member = memory_checked(json_object());
    json_write_text(member, "action", bounce_action_name(action));
    api_json_text_if(member, "status", told.bounce.status);
    api_json_text_if(member, "remote_mta", told.bounce.remote_mta);
    api_json_text_if(member, "diagnostic", told.bounce.diagnostic);
    api_json_text_if(member, "recipient", told.bounce.recipient);
    api_json_time(member, "reported", told.reported);
    json_write_object(object, name, member);
}

void api_json_bounces(json_t *object, struct store *store, const struct probe_id *probe)
{
    write_one(object, "bounce", store, probe, BOUNCE_FAILED);
    write_one(object, "delay", store, probe, BOUNCE_DELAYED);
}
