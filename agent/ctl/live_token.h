// The bearer token of a mailbox or a relay that is tried live, as the agent would get it.
#ifndef MAILFLOW_CTL_LIVE_TOKEN_H
#define MAILFLOW_CTL_LIVE_TOKEN_H

#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "probes/probe.h"

// "" where a password is used. False with the reason when it cannot be had.
bool live_token_get(const char *probers, const struct settings *settings,
                    const struct oauth_settings *oauth, char out[PROBE_TOKEN_SIZE],
                    struct error *error);

#endif
