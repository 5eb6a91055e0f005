// From the settings of a relay or a mailbox to the endpoint that a prober is told.
#ifndef MAILFLOW_SHELL_ENDPOINT_H
#define MAILFLOW_SHELL_ENDPOINT_H

#include "config/config.h"
#include "probes/probe.h"

void endpoint_of_relay(const struct relay_settings *relay, struct probe_endpoint *out);
void endpoint_of_mailbox(const struct mailbox_settings *mailbox, struct probe_endpoint *out);

#endif
