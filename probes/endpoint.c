#include "probes/endpoint.h"

#include <string.h>

#include "base/text.h"
#include "config/syntax.h"

enum { SMTP_PORT = 25 }; // where nothing else is said

static void endpoint_fill(const char *host, uint16_t port, enum tls_mode tls, const char *ca_file,
                          const char *user, const char *password, struct probe_endpoint *out)
{
    static const enum probe_tls MODES[] = {
        [TLS_NONE] = PROBE_TLS_NONE,
        [TLS_STARTTLS] = PROBE_TLS_STARTTLS,
        [TLS_IMPLICIT] = PROBE_TLS_IMPLICIT,
    };
    out->port = port;
    out->tls = MODES[tls];
    text_copy(out->host, sizeof out->host, host);
    text_copy(out->ca_file, sizeof out->ca_file, ca_file);
    text_copy(out->user, sizeof out->user, user);
    text_copy(out->password, sizeof out->password, password);
}

void endpoint_of_relay(const struct relay_settings *relay, struct probe_endpoint *out)
{
    endpoint_fill(relay->host, relay->port, relay->tls, relay->ca_file, relay->user,
                  relay->password, out);
}

void endpoint_of_mailbox(const struct mailbox_settings *mailbox, struct probe_endpoint *out)
{
    endpoint_fill(mailbox->host, mailbox->port, mailbox->tls, mailbox->ca_file, mailbox->user,
                  mailbox->password, out);
}

void endpoint_of_peer(const struct peer_settings *peer, struct greet_job *out)
{
    out->port = SMTP_PORT;
    out->domain = peer->mail_server[0] == '\0';
    if (out->domain) {
        text_copy(out->host, sizeof out->host, strrchr(peer->address, '@') + 1);
    } else {
        host_port_split(peer->mail_server, out->host, sizeof out->host, &out->port);
    }
}
