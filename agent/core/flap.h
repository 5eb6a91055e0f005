// Problems that come and go. The third notification of one within an hour says that it flaps; after
// that nothing is said of it until it has stayed closed, or open, for an hour: then that.
#ifndef MAILFLOW_CORE_FLAP_H
#define MAILFLOW_CORE_FLAP_H

#include <stddef.h>

#include "base/instant.h"
#include "core/incident.h"

enum { FLAP_TURNS = 3 };
#define FLAP_SPAN SPAN_HOURS(1)

// When incidents about one subject last opened that were notified, the newest first.
struct flap_history {
    struct walltime opened[INCIDENTS][FLAP_TURNS - 1];
};

// One that flaps now. `last`: its newest incident, open or closed.
struct flapping {
    struct incident last;
    struct instant since; // it is as it is
};

#endif
