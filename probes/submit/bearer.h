// AUTH with a bearer token (XOAUTH2, OAUTHBEARER), which libESMTP does not know, on the connection
// that it holds.
#ifndef MAILFLOW_PROBES_SUBMIT_BEARER_H
#define MAILFLOW_PROBES_SUBMIT_BEARER_H

#include <stdbool.h>

#include "probes/oauth.h"
#include "probes/probe.h"
#include "probes/submit/dialogue.h"
#include "probes/submit/side_channel.h"

// Says nothing when the server offers no such mechanism: the dialogue stops what goes on without.
// `status` is what a server says of a token that it refuses. False when the session is over.
bool bearer_authenticate(const struct side_channel *channel, struct dialogue *dialogue,
                         const struct probe_endpoint *relay, char status[OAUTH_STATUS_SIZE]);

#endif
