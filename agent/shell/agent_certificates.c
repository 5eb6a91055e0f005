#include "shell/agent_internal.h"
#include "shell/own_certificate.h"

void agent_feed_certificate(struct agent *agent, const struct certificate_endpoint *endpoint,
                            const struct certificate *certificate, const char *cause)
{
    struct event event = {.kind = EVENT_CERTIFICATE};
    event.certificate.endpoint = *endpoint;
    event.certificate.certificate = certificate;
    event.certificate.cause = cause;
    if (certificate->seen) {
        agent_feed(agent, &event);
    }
}

void agent_look_at_own_certificate(struct agent *agent)
{
    struct certificate_endpoint endpoint = {CERTIFICATE_HTTP, OWN_SERVER};
    struct certificate certificate;
    own_certificate_read(agent->settings->http.certificate, &certificate);
    agent_feed_certificate(agent, &endpoint, &certificate, "");
}
