// What must hold in every world once it has run, whatever its plan: what the agents' ledgers say of
// the same probes and the same windows.
#ifndef MAILFLOW_SIMULATION_WORLD_CHECKS_H
#define MAILFLOW_SIMULATION_WORLD_CHECKS_H

#include "simulation/plan.h"
#include "simulation/world.h"

// What is wrong is a failed check of the journal.
void world_check(struct world *world, const struct plan *plan);

#endif
