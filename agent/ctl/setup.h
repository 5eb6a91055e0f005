// From nothing to a configuration that works: asks, drafts, tries SMTP and IMAP live, writes, and
// says what is next. Shared by the verbs setup and join.
#ifndef MAILFLOW_CTL_SETUP_H
#define MAILFLOW_CTL_SETUP_H

#include <stdbool.h>

#include "ctl/mesh_token.h"
#include "ctl/verb.h"

// `token` is what join was given, NULL for setup: its key is the mesh key and its servers the
// peers. Returns the exit code; unless it is EXIT_DONE, nothing has been written.
int setup_run(struct context *context, const struct mesh_token *token);

#endif
