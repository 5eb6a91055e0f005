// When a probe was in the mailbox: from an interval to a point with its error. The collector knows
// a moment at which the probe was not there and one at which it was; the server may say, to the
// second, when it saved the message.
//
// A server that is asked answers by what it had when it was asked, but takes its time: milliseconds
// when it finds something, next to none when it does not. So where the collector asked again and
// again, the probe most likely came between two questions: half way is the best guess (against the
// Maildir of a real server 0.9 ms off in the middle, where the end of the answer is 4.5 ms off).
#ifndef MAILFLOW_CORE_ARRIVAL_H
#define MAILFLOW_CORE_ARRIVAL_H

#include "base/instant.h"

struct collect_report;

// Of a longer gap `at` is the latest that it can be.
#define ARRIVAL_GUESSED SPAN_SECONDS(1)

// As the collector saw it; each may be none.
struct arrival_sight {
    struct walltime absent;  // the mailbox had not been read before
    struct walltime asked;   // the server told of it unasked
    struct walltime present; // never none
    struct walltime saved;   // the server did not say
};

// The true instant is within [earliest, latest], and nowhere further from `at` than the error.
struct arrival {
    struct walltime at;
    struct walltime earliest;
    struct walltime latest;
    struct span error;
};

// `sent` by our clock, as far as it is known to agree: nothing arrives before, so a guess does not
// say so. That the interval lies before it is for others to judge, and what it is, for it says
// something of the clocks.
struct arrival arrival_estimate(const struct arrival_sight *seen, struct walltime sent);
struct arrival arrival_reported(const struct collect_report *report, struct walltime sent);

#endif
