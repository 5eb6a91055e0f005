// Probes on their way to the submitters: those whose relay wants a bearer token wait here until
// there is one, and are handed over once more, with another, when the relay refuses it. So a token
// that has expired costs nothing: nothing of the message has gone out yet, and it is the same probe
// with the same deadline.
#ifndef MAILFLOW_SHELL_SENDINGS_H
#define MAILFLOW_SHELL_SENDINGS_H

#include <stdbool.h>

#include "base/probe_id.h"
#include "config/config.h"
#include "probes/probe.h"
#include "shell/submitters.h"
#include "shell/tokens.h"

struct sendings;

// A probe whose token cannot be had ends here: `refused` is called with the reason.
struct sendings *sendings_create(struct submitters *submitters, struct tokens *tokens,
                                 void (*refused)(void *context, const char *peer,
                                                 const struct probe_id *id,
                                                 const struct submit_outcome *outcome),
                                 void *context);
void sendings_destroy(struct sendings *sendings);

// Keeps what it needs of the job, whose relay may lack its token. The tag's `to` names the peer.
void sendings_give(struct sendings *sendings, struct submit_job *job,
                   const struct oauth_settings *oauth);

// To be shown every outcome of the submitters. True when the probe is tried again, and the outcome
// counts for nothing; else it counts, and may have been added to.
bool sendings_try_again(struct sendings *sendings, const struct probe_id *id,
                        struct submit_outcome *outcome);

// A token has come, or will not.
void sendings_look_again(struct sendings *sendings);

#endif
