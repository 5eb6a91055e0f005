// Who the agent's peers are, for suggestions.
#ifndef MAILFLOW_CTL_PEERS_H
#define MAILFLOW_CTL_PEERS_H

#include <jansson.h>

#include "base/error.h"
#include "ctl/client.h"

// Adds "; did you mean 'mx01'?" to the message when the name is no server's at either end of the
// paths but near to one; false when it added nothing.
bool peers_suggest(const json_t *paths, const char *name, struct error *error);

// The same, of an agent that has to be asked first.
bool peers_ask_and_suggest(struct client *client, const char *name, struct error *error);

// Whether a server of the mesh has this name; false when the agent does not say.
bool peers_ask_known(struct client *client, const char *name);

// This server's own name, which no path has for itself, into `out`; false when no path tells it.
bool peers_find_own_name(const json_t *paths, char *out, size_t size);

// Adds "; the peers are mx01, mx03", the first of many.
void peers_list(const json_t *paths, struct error *error);

#endif
