// The address of a peer tried live: whether the relay takes probes to it, asked by mailflow-greet
// with MAIL and RCPT, without a message. That is said in the clear and without a login, so a relay
// that wants either is not asked.
#ifndef MAILFLOW_CTL_LIVE_RECIPIENT_H
#define MAILFLOW_CTL_LIVE_RECIPIENT_H

#include <stdbool.h>

#include "config/config.h"
#include "ctl/live_result.h"

bool live_recipient_can_try(const struct relay_settings *relay);

// `there`: the peer is to be there by now, so that a refusal is a failure, else a warning.
void live_recipient_try(const char *probers, const struct settings *settings,
                        const struct peer_settings *peer, bool there, struct live_result *result);

#endif
