// A mailbox tried live: mailflow-collect logs in, opens the folders and reads them; then a probe
// that was handed over can be waited for.
#ifndef MAILFLOW_CTL_LIVE_MAILBOX_H
#define MAILFLOW_CTL_LIVE_MAILBOX_H

#include <stdbool.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/probe_id.h"
#include "config/config.h"
#include "ctl/live_result.h"
#include "ctl/prober_child.h"

struct live_mailbox {
    const char *server; // ours
    const struct mailbox_settings *settings;
    struct prober_child child;
    bool readable;
};

// Always to be closed. The result says how it went. What earlier checks have left there goes.
void live_mailbox_open(struct live_mailbox *mailbox, const char *probers,
                       const struct settings *settings, const struct mailbox_settings *which,
                       struct live_result *result);

// Waits for the probe and takes it away. False with the reason when it has not come by then.
bool live_mailbox_await(struct live_mailbox *mailbox, const struct probe_id *id,
                        struct instant deadline, struct moment *arrived, struct error *error);

void live_mailbox_close(struct live_mailbox *mailbox);

#endif
