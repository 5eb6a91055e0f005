// Which servers of the lists are our peers.
#ifndef MAILFLOW_CONFIG_MESH_H
#define MAILFLOW_CONFIG_MESH_H

#include "config/config.h"

// Puts the configured peers and those out of the lists together: peers, peer_count, peers_by_name.
void mesh_join_peers(struct settings *settings);

#endif
