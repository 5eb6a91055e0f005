// The only place that reads the machine's clocks. Everything else is handed a moment.
#ifndef MAILFLOW_BASE_CLOCK_H
#define MAILFLOW_BASE_CLOCK_H

#include "base/instant.h"

// Both clocks, read back to back.
struct moment clock_now(void);

#endif
