// The lines by which a mesh grows: the one that takes the next server in, and the one that tells
// the servers of the mesh of a new one.
#ifndef MAILFLOW_CTL_INVITATION_H
#define MAILFLOW_CTL_INVITATION_H

#include <stdbool.h>

#include "base/text.h"
#include "config/config.h"

// The token of this server and its peers; see mesh_token.h. How many of the peers it had no room
// for.
size_t invitation_compose(const struct settings *settings, bool invite, struct text *out);

// The line to run, and what to know of it.
void invitation_print(const struct settings *settings);
void introduction_print(const struct settings *settings);

#endif
