// Telling the core again what an earlier one lived through (`mailflowctl simulate`): under other
// thresholds and windows, what would it have said?
//
// What the agent decided to send is part of what is told and is not decided anew: a replayed core
// gives no ACTION_SEND. All else comes in as in life: the outcomes of submissions, arrivals,
// receipts inside them, mailboxes, windows, and time.
#ifndef MAILFLOW_CORE_REPLAY_H
#define MAILFLOW_CORE_REPLAY_H

#include <stdbool.h>

#include "core/core.h"

// To be called between core_create and core_start.
void core_replay(struct core *core);

// The agent gave this probe of the peer to a submit worker now; its EVENT_SUBMITTED follows. False
// when more are being handed over than an agent does at a time: then it is not taken.
bool core_replay_sending(struct core *core, int peer, const struct probe_record *record,
                         struct moment now);

// The agent began to run again now, after it had not run since the core was last called: to be
// followed at once by an event.
void core_replay_started(struct core *core, struct moment now);

#endif
