// What this agent has to tell a peer in an exchange over HTTP.
#ifndef MAILFLOW_SHELL_EXCHANGE_MESSAGE_H
#define MAILFLOW_SHELL_EXCHANGE_MESSAGE_H

#include "core/core.h"
#include "probes/exchange.h"

// All of it as of now, with a new nonce; not a reply yet.
void exchange_message_compose(const struct core *core, int peer, struct moment now,
                              struct exchange_message *out);

#endif
