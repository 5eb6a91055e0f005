#include "probes/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/secret.h"
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

static bool has_file(const struct oauth_settings *oauth)
{
    return oauth->token_file != NULL && oauth->token_file[0] != '\0';
}

static enum probe_oauth mechanism_of(const struct oauth_settings *oauth)
{
    return !has_file(oauth) && oauth->token_command_count == 0 ? PROBE_OAUTH_NONE
           : strcmp(oauth->mechanism, "auto") == 0             ? PROBE_OAUTH_AUTO
           : strcmp(oauth->mechanism, "xoauth2") == 0          ? PROBE_OAUTH_XOAUTH2
                                                               : PROBE_OAUTH_OAUTHBEARER;
}

bool endpoint_read_token(const char *file, char out[PROBE_TOKEN_SIZE], struct error *error)
{
    char *token = secret_read_token(file, "", error);
    if (token == NULL) {
        return error_prefix(error, "token_file");
    }
    text_copy(out, PROBE_TOKEN_SIZE, token);
    explicit_bzero(token, strlen(token));
    free(token);
    return true;
}

bool endpoint_has_token(const struct oauth_settings *oauth)
{
    return mechanism_of(oauth) != PROBE_OAUTH_NONE;
}

void endpoint_of_relay(const struct relay_settings *relay, struct probe_endpoint *out)
{
    endpoint_fill(relay->host, relay->port, relay->tls, relay->ca_file, relay->user,
                  relay->password, out);
    out->oauth = mechanism_of(&relay->oauth);
}

void endpoint_of_mailbox(const struct mailbox_settings *mailbox, struct probe_endpoint *out)
{
    endpoint_fill(mailbox->host, mailbox->port, mailbox->tls, mailbox->ca_file, mailbox->user,
                  mailbox->password, out);
    out->oauth = mechanism_of(&mailbox->oauth);
}

bool endpoint_of_command(const struct oauth_settings *oauth, const char *home,
                         struct token_job *out, struct error *error)
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    bool fits = text_copy(out->home, sizeof out->home, home) &&
                text_copy(out->credentials, sizeof out->credentials,
                          credentials == NULL ? "" : credentials) &&
                oauth->token_command_count <= TOKEN_WORDS_MAXIMUM;
    for (size_t i = 0; fits && i < oauth->token_command_count; i++) {
        fits = text_copy(out->words[i], TOKEN_WORD_SIZE, oauth->token_command[i]);
    }
    out->word_count = oauth->token_command_count;
    return fits || error_set(error, "token_command: is too long");
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

void endpoint_of_agent(const struct peer_settings *peer, const char *path, struct text *out)
{
    size_t length = strlen(peer->agent);
    while (length > 0 && peer->agent[length - 1] == '/') {
        length--;
    }
    text_append_bytes(out, peer->agent, length);
    text_append(out, path);
}
