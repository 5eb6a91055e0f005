// What a path is used to: the routes it takes, what the receiving server finds of its probes, the
// folder they arrive in. Of the direction that we see arrive ourselves.
#ifndef MAILFLOW_CORE_HABITS_H
#define MAILFLOW_CORE_HABITS_H

#include "core/auth_memory.h"
#include "core/placement.h"
#include "core/route.h"

struct habits {
    struct route_memory route;
    struct auth_memory auth;
    struct placement placement;
};

#endif
