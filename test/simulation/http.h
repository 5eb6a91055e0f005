// Exchanges between agents over HTTP, as mailflow-fetch and the agents' listeners make them: in
// milliseconds where the other's agent runs and the way to it is open, else refused or timed out.
#ifndef MAILFLOW_SIMULATION_HTTP_H
#define MAILFLOW_SIMULATION_HTTP_H

#include "simulation/world.h"

// The agent has decided to exchange with a peer.
void http_exchange(struct world *world, int node, int peer);

// The request has come to the other host, the reply (or none) back.
void http_request(struct world *world, struct world_event *event);
void http_reply(struct world *world, struct world_event *event);

#endif
