// Evidence with something in every member, for tests of what each kind of incident shows of it.
#ifndef MAILFLOW_TEST_FULL_EVIDENCE_H
#define MAILFLOW_TEST_FULL_EVIDENCE_H

#include "core/incident.h"

static inline struct evidence full_evidence(void)
{
    return (struct evidence){
        .latency = SPAN_MS(82400),
        .threshold = SPAN_SECONDS(60),
        .late = 3,
        .of = 5,
        .oldest_age = SPAN_SECONDS(90),
        .in_flight = 7,
        .failures = 4,
        .has_probe = true,
        .probe = {{1}},
        .route = "a b c",
        .usual_route = "a c",
        .method = AUTH_DKIM,
        .result = AUTH_FAIL,
        .hop = {"mx03", "mx02", SPAN_SECONDS(12)},
        .statuses = {"5.2.2", "5.1.1"},
        .cause = "no route",
    };
}

#endif
