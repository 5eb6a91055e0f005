// The servers that the agent knows, by name: its own and its peers.
#ifndef MAILFLOW_CTL_PEERS_H
#define MAILFLOW_CTL_PEERS_H

#include <jansson.h>

#include "base/error.h"
#include "base/tag_codec.h"
#include "ctl/client.h"

// This server's own name, as the agent has it, which may have no peers yet; false when it does not
// say.
bool peers_ask_own_name(struct client *client, char out[SERVER_NAME_SIZE]);

// Whether a server of the mesh has this name; false when the agent does not say.
bool peers_ask_known(struct client *client, const char *name);

// Adds "; did you mean 'mx01'?" to the message when the name is not this server's nor that of a
// peer on the paths, but near to one; false when it added nothing.
bool peers_suggest(struct client *client, const json_t *paths, const char *name,
                   struct error *error);

// The same, when the paths are still to be asked for.
void peers_ask_and_suggest(struct client *client, const char *name, struct error *error);

// Adds "; the peers are mx01, mx03", the first of many.
void peers_list(const json_t *paths, struct error *error);

#endif
