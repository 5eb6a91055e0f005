// What started us and would start us again: systemd, or whoever else speaks sd_notify(3) and so
// gave us a NOTIFY_SOCKET. The protocol is two lines; libsystemd, which also speaks it, would add
// most of a MiB to what the agent takes.
#ifndef MAILFLOW_SHELL_SUPERVISOR_H
#define MAILFLOW_SHELL_SUPERVISOR_H

#include <stdbool.h>

#include "base/instant.h"

// "READY=1", say. Nothing is done when nobody listens.
void supervisor_tell(const char *state);

// Whether it wants signs of life from this process ("WATCHDOG=1"), one at least in so long a time.
bool supervisor_watches(struct span *patience);

#endif
