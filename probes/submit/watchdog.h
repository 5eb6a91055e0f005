// Cuts a connection at the deadline from outside of whatever the thread is doing: a server that
// floods keeps libESMTP and OpenSSL reading without a call to poll. A timer's signal handler shuts
// the socket down, again and again until disarmed, so that no moment is the wrong one.
#ifndef MAILFLOW_PROBES_SUBMIT_WATCHDOG_H
#define MAILFLOW_PROBES_SUBMIT_WATCHDOG_H

#include <stdbool.h>

#include "base/error.h"
#include "base/instant.h"

// Once, before the process is confined.
bool watchdog_start(struct error *error);

void watchdog_arm(struct instant deadline);
void watchdog_disarm(void);

// The descriptor to shut down, -1 for none.
void watchdog_guard(int descriptor);

#endif
