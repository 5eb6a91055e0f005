// What speaks for it that we, and not our peers, are cut off: kept between one look and the next.
#ifndef MAILFLOW_CORE_ISOLATION_H
#define MAILFLOW_CORE_ISOLATION_H

#include <stdbool.h>

#include "base/instant.h"
#include "core/incident.h"

struct isolation {
    struct instant looked;
    struct moment refused_since; // our relay, everything
    unsigned refusals;           // since
    unsigned accepted;           // in a row, while we are isolated
    int first_peer;
    bool several;  // peers were concerned
    bool dialogue; // a server has answered at least once
    char cause[INCIDENT_CAUSE_SIZE];
};

#endif
