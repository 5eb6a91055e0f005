// The configuration of one agent of the mesh, made from the numbers of its world.
#ifndef MAILFLOW_SIMULATION_MESH_SETTINGS_H
#define MAILFLOW_SIMULATION_MESH_SETTINGS_H

#include "simulation/world.h"

// The caller owns it.
struct settings *mesh_settings_build(const struct world *world, int node);
void mesh_settings_destroy(struct settings *settings);

#endif
