// A relay tried live: mailflow-submit hands a probe to it, to our own address, and the probe is
// waited for in our mailbox.
#ifndef MAILFLOW_CTL_LIVE_RELAY_H
#define MAILFLOW_CTL_LIVE_RELAY_H

#include "config/config.h"
#include "ctl/live_mailbox.h"
#include "ctl/live_result.h"

// `name` is how the relay is called in the result. Where the mailbox is not readable the arrival
// is not waited for.
void live_relay_try(const char *name, const char *probers, const struct settings *settings,
                    const struct relay_settings *relay, struct live_mailbox *mailbox,
                    struct span patience, struct live_result *result);

#endif
