// How one thing went that was tried live: a mailbox, a relay, a peer.
#ifndef MAILFLOW_CTL_LIVE_RESULT_H
#define MAILFLOW_CTL_LIVE_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "ctl/advice.h"
#include "ctl/terminal.h"
#include "probes/certificate.h"

enum { LIVE_LEGS_MAXIMUM = 8 };

struct live_leg {
    const char *name;
    struct span took;
};

struct live_result {
    char subject[128]; // "mailbox local"
    char target[600];  // "mx01.example:143"
    bool good;
    char told[512];     // how it went, or what went wrong
    const char *advice; // what to do about it; "" when it went well; what is good may have some
    struct live_leg legs[LIVE_LEGS_MAXIMUM];
    size_t leg_count;
    struct certificate certificate;
    struct walltime looked; // at the certificate
};

void live_result_add_leg(struct live_result *result, const char *name, struct span took);

// How long the certificate that the server showed is still good for stands in the line.
void live_result_add_certificate(struct live_result *result, const struct certificate *certificate);

// What was said may come from anywhere; it is escaped here.
void live_result_succeed(struct live_result *result, const char *told);
void live_result_fail(struct live_result *result, enum advice_service service, const char *said);

// What may be well in a while: no failure, but it wants a look.
void live_result_warn(struct live_result *result, enum advice_service service, const char *said);

// One line, and another with the advice; on a terminal as many as it takes.
void live_result_print(const struct live_result *result, const struct terminal *terminal);
json_t *live_result_to_json(const struct live_result *result);

#endif
