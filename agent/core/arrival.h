// When a probe was in the mailbox: from an interval to a point with its error (2-verdicts: "Arrival
// and its error"). The collector knows a moment at which the probe was not there and one at which
// it was; the server may say, to the second, when it saved the message.
#ifndef MAILFLOW_CORE_ARRIVAL_H
#define MAILFLOW_CORE_ARRIVAL_H

#include "base/instant.h"

struct arrival {
    struct walltime at;
    struct span error; // the true instant is within [at - error, at]
};

// `absent` none: the mailbox had not been read before. `saved` none: the server did not say.
struct arrival arrival_estimate(struct walltime absent, struct walltime present,
                                struct walltime saved);

#endif
