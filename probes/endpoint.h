// From the settings of a relay, a mailbox or a peer to what a prober is told of it.
#ifndef MAILFLOW_PROBES_ENDPOINT_H
#define MAILFLOW_PROBES_ENDPOINT_H

#include "base/error.h"
#include "config/config.h"
#include "probes/greet.h"
#include "probes/probe.h"

// Reads the token where there is one: false with the reason when it cannot be had now.
bool endpoint_of_relay(const struct relay_settings *relay, struct probe_endpoint *out,
                       struct error *error);
bool endpoint_of_mailbox(const struct mailbox_settings *mailbox, struct probe_endpoint *out,
                         struct error *error);

// Where the peer's mail server should greet; number and deadline stay as they are.
void endpoint_of_peer(const struct peer_settings *peer, struct greet_job *out);

#endif
