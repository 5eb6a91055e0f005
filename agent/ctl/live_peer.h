// A peer tried live: whether its mail server greets (mailflow-greet), and whether its agent, where
// it has one, answers over HTTP by the name that we know, and would take our exchange.
#ifndef MAILFLOW_CTL_LIVE_PEER_H
#define MAILFLOW_CTL_LIVE_PEER_H

#include "config/config.h"
#include "ctl/live_result.h"

void live_peer_try_mail_server(const char *probers, const struct peer_settings *peer,
                               struct live_result *result);

void live_peer_try_agent(const struct settings *settings, const struct peer_settings *peer,
                         struct live_result *result);

#endif
