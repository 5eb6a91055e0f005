// Reading mailboxes, as mailflow-collect does: whether they can be read, what has arrived and when
// it was seen not to be there and to be there, and when everything has been read.
#ifndef MAILFLOW_SIMULATION_READER_H
#define MAILFLOW_SIMULATION_READER_H

#include "simulation/world.h"

// A new run of the agent begins: everything in its mailboxes is new to it.
void reader_begin(struct world *world, int node);
void reader_read(struct world *world, int node, int reader);
void reader_poll(struct world *world, int node, int reader);

#endif
