// From the settings of a relay, a mailbox or a peer to what a prober is told of it.
#ifndef MAILFLOW_PROBES_ENDPOINT_H
#define MAILFLOW_PROBES_ENDPOINT_H

#include "config/config.h"
#include "probes/greet.h"
#include "probes/probe.h"

void endpoint_of_relay(const struct relay_settings *relay, struct probe_endpoint *out);
void endpoint_of_mailbox(const struct mailbox_settings *mailbox, struct probe_endpoint *out);

// Where the peer's mail server should greet; number and deadline stay as they are.
void endpoint_of_peer(const struct peer_settings *peer, struct greet_job *out);

#endif
