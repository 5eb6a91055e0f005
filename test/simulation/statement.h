// The statements of scenarios, one function each, found by their first word.
#ifndef MAILFLOW_SIMULATION_STATEMENT_H
#define MAILFLOW_SIMULATION_STATEMENT_H

#include "base/error.h"
#include "simulation/world.h"

bool statement_run(struct world *world, const char *text, struct error *error);

#endif
