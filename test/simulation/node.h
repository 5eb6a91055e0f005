// One agent of the mesh: the real core, and what the shell does around it in its simplest form.
// Rows are written before the deeds of the same turn, receipts travel as they do in the product, a
// restart restores from the ledger, and kill -9 may strike before the rows, after them, or amid the
// deeds.
#ifndef MAILFLOW_SIMULATION_NODE_H
#define MAILFLOW_SIMULATION_NODE_H

#include "simulation/mail.h"
#include "simulation/world.h"

void node_start(struct world *world, int node);
void node_stop(struct world *world, int node);
void node_free(struct world *world, int node);

// Gone, and back after the restart time.
void node_restart(struct world *world, int node);

// Takes over the world's numbers as they are now, as a reload does.
void node_configure(struct world *world, int node);

// The core's deadline has come.
void node_time(struct world *world, int node);

// `message`: the one that an arrival is about, else NULL.
void node_handle(struct world *world, int node, const struct event *event, struct message *message);

// Whether the server has greeted the agent that asked.
void node_greeted(struct world *world, int node, int server);

void node_submitted(struct world *world, struct message *message, enum submission submission);

#endif
