// From the settings of a relay, a mailbox or a peer to what a prober is told of it.
#ifndef MAILFLOW_PROBES_ENDPOINT_H
#define MAILFLOW_PROBES_ENDPOINT_H

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"
#include "probes/greet.h"
#include "probes/probe.h"
#include "probes/token.h"

// All but the token, where one is wanted: that is found out anew at every use.
void endpoint_of_relay(const struct relay_settings *relay, struct probe_endpoint *out);
void endpoint_of_mailbox(const struct mailbox_settings *mailbox, struct probe_endpoint *out);

// Whether a bearer token is wanted instead of a password.
bool endpoint_has_token(const struct oauth_settings *oauth);

// The token in the file; false with the reason when it cannot be had now.
bool endpoint_read_token(const char *file, char out[PROBE_TOKEN_SIZE], struct error *error);

// The command that prints the token; number and deadline stay as they are.
bool endpoint_of_command(const struct oauth_settings *oauth, const char *home,
                         struct token_job *out, struct error *error);

// Where the peer's mail server should greet; number and deadline stay as they are.
void endpoint_of_peer(const struct peer_settings *peer, struct greet_job *out);

// A path at the peer's agent.
void endpoint_of_agent(const struct peer_settings *peer, const char *path, struct text *out);

#endif
