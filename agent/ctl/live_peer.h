// A peer tried live: whether its mail server greets (mailflow-greet), and whether its agent, where
// it has one, answers over HTTP by the name that we know.
#ifndef MAILFLOW_CTL_LIVE_PEER_H
#define MAILFLOW_CTL_LIVE_PEER_H

#include "config/config.h"
#include "ctl/live_result.h"

void live_peer_try_mail_server(const char *probers, const struct peer_settings *peer,
                               struct live_result *result);

// `ca_file` is who vouches for the agents, "" for the system's store.
void live_peer_try_agent(const struct peer_settings *peer, const char *ca_file,
                         struct live_result *result);

#endif
