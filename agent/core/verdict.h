// What the life of an arrived probe amounts to (config/OPERATING.md: "Verdicts of a probe").
//
// A life is [sent, arrived] on our wall clock. Windows excuse the part of it that they cover, with
// the recovery of the sender's queue after them; troubles already reported explain what they held
// up. Nothing is called late that lies inside the measurement's error.
#ifndef MAILFLOW_CORE_VERDICT_H
#define MAILFLOW_CORE_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"

enum verdict {
    VERDICT_OPEN, // not resolved yet
    VERDICT_ON_TIME,
    VERDICT_LATE,
    VERDICT_EXCUSED,
    VERDICT_DRAINED,
    VERDICT_LOST,
    VERDICT_BOUNCED,
    VERDICTS
};
const char *verdict_name(enum verdict verdict);

// A window of either end of the path. `resumed`: the first arrival on the path of a probe sent
// after the end, at earliest the end, at latest end + settle.
struct verdict_window {
    struct walltime begin;
    struct walltime end;
    struct walltime resumed;
};

// A trouble that has been opened on the path or at its ends: an incident or an interruption of this
// agent. `closed` none while it lasts.
struct verdict_trouble {
    struct walltime began;
    struct walltime closed;
    int64_t incident;     // 0 for an interruption
    struct walltime over; // of an interruption itself; it closes when mail comes again
    int rank;             // cause before symptom: the lowest explains
};

struct verdict_case {
    struct walltime sent;
    struct walltime arrived;
    struct span latency; // arrived - sent, corrected where the clocks are known to differ
    struct span error;
    struct span warning; // threshold
    struct span recovery;
    const struct verdict_window *windows;
    size_t window_count;
    const struct verdict_trouble *troubles;
    size_t trouble_count;
};

struct judgement {
    enum verdict verdict;
    struct span residual; // latency minus what windows excuse
    struct span excused;
    int64_t incident; // that explains a drained probe, 0 for none
};

enum { VERDICT_WINDOWS_MAXIMUM = 16 };

struct judgement verdict_judge(const struct verdict_case *life);

#endif
