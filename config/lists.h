// The lists of `peers_from`, and which of their servers become peers.
//
// A list that cannot be read keeps the servers that it had: being unable to read that a server is
// gone is no reason to stop watching it. What two lists say differently of one name is an error.
#ifndef MAILFLOW_CONFIG_LISTS_H
#define MAILFLOW_CONFIG_LISTS_H

#include <stdbool.h>

#include "config/config.h"
#include "config/problem.h"

enum lists_occasion {
    LISTS_FIRST,  // a configuration is loaded: what is wrong with a list that was never read
    LISTS_REREAD, // is an error; or lists alone are read again: it is a warning
};

// Fills lists, mesh and peers of the settings, in their list_arena, from configured_peers,
// peers_from and fanout. `before`: what was in force, or NULL.
void lists_gather(struct settings *settings, const struct settings *before,
                  enum lists_occasion occasion, struct problem_list *problems);

#endif
