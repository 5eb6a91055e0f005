// What a server reports of a message that it could not deliver, or not yet: a delivery status
// notification (RFC 3464), or what older and stranger servers send instead. Evidence, in the words
// of whoever wrote it: bounded, valid UTF-8, without control bytes.
#ifndef MAILFLOW_PROBES_BOUNCE_H
#define MAILFLOW_PROBES_BOUNCE_H

#include <stdbool.h>

// Delivered, relayed and expanded tell nothing that a receipt would not tell better.
enum bounce_action { BOUNCE_FAILED, BOUNCE_DELAYED, BOUNCE_OTHER, BOUNCE_ACTIONS };
const char *bounce_action_name(enum bounce_action action);
bool bounce_action_parse(const char *name, enum bounce_action *out);

enum {
    BOUNCE_STATUS_SIZE = 12, // RFC 3463: 5.999.999
    BOUNCE_HOST_SIZE = 128,
    BOUNCE_DIAGNOSTIC_SIZE = 256,
    BOUNCE_RECIPIENT_SIZE = 128,
};

// What it does not say is "".
struct bounce {
    enum bounce_action action;
    char status[BOUNCE_STATUS_SIZE];
    char remote_mta[BOUNCE_HOST_SIZE]; // who said so: the server beyond, else the one that reports
    char diagnostic[BOUNCE_DIAGNOSTIC_SIZE];
    char recipient[BOUNCE_RECIPIENT_SIZE];
    char original_recipient[BOUNCE_RECIPIENT_SIZE]; // as the sender had it, before any alias
};

#endif
