#include "shell/api_certificate.h"

#include "base/error.h"
#include "probes/json_values.h"
#include "shell/api_json.h"

json_t *api_json_certificate(const struct core *core, size_t index, struct moment now)
{
    const struct settings *settings = core_settings(core);
    struct certificate_endpoint endpoint = core_certificate_endpoint(core, index);
    const struct certificate_sight *sight = core_certificate(core, &endpoint);
    if (sight == NULL) {
        return NULL;
    }
    int server = core_certificate_server(core, &endpoint);
    json_t *object = memory_checked(json_object());
    json_write_text(object, "place", certificate_place_name(endpoint.place));
    json_write_text(object, "name", core_certificate_name(core, &endpoint));
    json_write_text(object, "server",
                    server == OWN_SERVER ? settings->server : settings->peers[server].name);
    json_write_text(object, "state",
                    certificate_state_name(core_certificate_state(core, &endpoint, now)));
    api_json_time(object, "expires", sight->certificate.expires);
    if (endpoint.place != CERTIFICATE_HTTP) { // that is for the others
        json_write_boolean(object, "verified", sight->certificate.verified);
    }
    api_json_text_if(object, "reason", sight->reason);
    json_write_text(object, "subject", sight->certificate.subject);
    json_write_text(object, "issuer", sight->certificate.issuer);
    api_json_text_if(object, "authority", sight->certificate.authority);
    api_json_time(object, "seen", sight->at);
    return object;
}
