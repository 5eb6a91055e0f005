// The only place that reads the machine's clocks. Everything else is handed a moment.
#ifndef MAILFLOW_BASE_CLOCK_H
#define MAILFLOW_BASE_CLOCK_H

#include "base/instant.h"

// Both clocks, read back to back.
struct moment clock_now(void);

// How far the wall clock is off at most, as the kernel has it from whoever disciplines it; zero
// when nobody does, and nothing is known (adjtimex(2): maxerror, STA_UNSYNC).
struct span clock_error(void);

#endif
