// A configuration tried live: every mailbox, every relay, every peer. Each thing that was tried is
// told at once; nothing but the probes that are sent to ourselves is left behind, and those are
// taken away again.
#ifndef MAILFLOW_CTL_LIVE_H
#define MAILFLOW_CTL_LIVE_H

#include <stdbool.h>

#include "base/instant.h"
#include "config/config.h"
#include "ctl/live_result.h"

struct live_options {
    const char *probers;  // the folder
    struct span patience; // with a probe that was handed over
    bool peers;         // try them as well: else they may come later, and their addresses only warn
    bool leave_nothing; // send no probe that cannot be taken away: nobody will know its key
    const struct terminal *terminal;
    json_t *results; // appended to, or NULL: printed at once
};

struct live_count {
    unsigned tried;
    unsigned failed;
};

// interrupt_hold must have been called: it ends early when interrupted.
struct live_count live_try(const struct settings *settings, const struct live_options *options);

#endif
