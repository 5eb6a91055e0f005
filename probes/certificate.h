// What a server showed of itself when TLS began, as a prober saw it.
#ifndef MAILFLOW_PROBES_CERTIFICATE_H
#define MAILFLOW_PROBES_CERTIFICATE_H

#include <stdbool.h>
#include <string.h>

#include "base/instant.h"

enum { CERTIFICATE_NAME_SIZE = 96 };

struct certificate {
    bool seen;                           // one was shown; else the rest says nothing
    bool verified;                       // chain, name and dates; the outcome says why not
    struct walltime expires;             // the first notAfter of it and those that vouch for it
    char subject[CERTIFICATE_NAME_SIZE]; // whom it is for, printable ASCII, as are these:
    char issuer[CERTIFICATE_NAME_SIZE];
    char authority[CERTIFICATE_NAME_SIZE]; // whose certificate ends then, "" when it is its own
};

static inline bool certificate_equal(const struct certificate *a, const struct certificate *b)
{
    return a->seen == b->seen && a->verified == b->verified && a->expires.ns == b->expires.ns &&
           strcmp(a->subject, b->subject) == 0 && strcmp(a->issuer, b->issuer) == 0 &&
           strcmp(a->authority, b->authority) == 0;
}

#endif
