// The loop of mailflow-collect: commands in, mailboxes worked on when they are due.
//
// The agent gives each process one mailbox. With more of them they are worked on in turn, and one
// whose server stalls keeps the others waiting for as long as a command may take.
#ifndef MAILFLOW_PROBES_COLLECT_COLLECTOR_H
#define MAILFLOW_PROBES_COLLECT_COLLECTOR_H

#include "probes/collect/mailbox.h"

enum { COLLECTOR_MAILBOXES_MAXIMUM = 32 };

// Returns at the end of standard input.
void collector_run(const struct mailbox_spans *spans);

#endif
