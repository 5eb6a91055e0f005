// Ctrl-C (SIGINT), Ctrl-\ (SIGQUIT), SIGTERM and SIGHUP, for verbs that must clean up before they
// end: the terminal's echo, files half written. Once held they are delivered only while waiting
// here, and are noted.
#ifndef MAILFLOW_CTL_INTERRUPT_H
#define MAILFLOW_CTL_INTERRUPT_H

#include <stdbool.h>

#include "base/instant.h"

void interrupt_hold(void);

// Whether one has come since.
bool interrupt_noted(void);

enum wait_end { WAIT_READY, WAIT_TIMEOUT, WAIT_INTERRUPTED };

// Waits until the descriptor can be read (or is at its end), for INSTANT_NEVER without limit.
enum wait_end interrupt_wait(int descriptor, struct instant deadline);

#endif
