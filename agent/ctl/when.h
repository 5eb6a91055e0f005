// Points in time as operators write them: 14:30 (the next one), 2026-07-28T14:30 or with a blank,
// seconds optional, all in the local zone; or RFC 3339 with its own.
#ifndef MAILFLOW_CTL_WHEN_H
#define MAILFLOW_CTL_WHEN_H

#include <stdbool.h>

#include "base/error.h"
#include "base/instant.h"

// A time that the local clock skips is an error; of one that it shows twice the C library chooses.
bool when_parse(const char *from, struct walltime now, struct walltime *out, struct error *error);

// The same of what has been: 14:30 is the last one.
bool when_parse_past(const char *from, struct walltime now, struct walltime *out,
                     struct error *error);

#endif
