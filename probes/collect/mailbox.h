// One watched mailbox: its connection, what has been read of its folders, what is to be deleted.
//
// Arrival is an interval. `present` is when the server first told of the message; `absent` is when
// the last check that did not show it was sent, kept over reconnects (zero when the folder had not
// been read before). A check is a NOOP on the first folder, which stays selected, and a STATUS of
// each of the others, which is selected when it has changed.
//
// Rest is IDLE; polling is NOOP at the pace of expectation.h. All folders are checked at connect,
// every 30 s, and a second after anything was found, so that what was found is soon complete.
//
// A folder that cannot be read does not take the mailbox down unless it is the first: the report
// says `up`, with the reason as its cause. UIDs to delete are kept while the connection is down;
// when there are too many to keep, the folder is read anew, its messages are reported again and can
// be deleted then. Likewise after a change of UIDVALIDITY.
//
// A connection that lasts would never show that the server's certificate has been replaced: so it
// is made anew now and then, which is no trouble, and `up` is reported again when another is shown.
//
// Messages that may be reports of delivery are looked into when all probes have been reported
// (suspects.h). There is a line at least every 20 s or so while it is at work: `up` is said again
// when there is nothing else to say.
//
// A message whose answer cannot be read makes the batch be read one by one after a reconnect, and
// is itself rejected and skipped.
#ifndef MAILFLOW_PROBES_COLLECT_MAILBOX_H
#define MAILFLOW_PROBES_COLLECT_MAILBOX_H

#include <stdbool.h>

#include "base/instant.h"
#include "probes/probe.h"

struct mailbox;

struct mailbox_spans {
    struct span timeout; // of each command
    struct span renew;   // a connection with TLS is made anew when it is so old
};

// Due at once. The caller owns the mailbox.
struct mailbox *mailbox_create(const struct collect_command *watch,
                               const struct mailbox_spans *spans);
void mailbox_destroy(struct mailbox *mailbox);

const char *mailbox_name(const struct mailbox *mailbox);

// The messages named are deleted at the next work, which is due at once while it is connected.
// False with the reason when the mailbox has no such folder.
bool mailbox_delete(struct mailbox *mailbox, const struct collect_command *command,
                    struct error *error);

// When mailbox_work is to be called; sooner when the descriptor (-1: none) becomes readable.
struct instant mailbox_due(const struct mailbox *mailbox);
int mailbox_descriptor(const struct mailbox *mailbox);

// Does what is due and reports it on standard output.
void mailbox_work(struct mailbox *mailbox);

#endif
