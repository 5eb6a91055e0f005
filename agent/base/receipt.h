// Receipts: "I got your probe at this time", carried back to the sender in a probe of the receiver.
//
// The list is newest first. What does not fit is left out from the middle and the gap is declared,
// so that the reader never takes an omitted probe for a missing one:
//
//   Mailflow-Receipts: as_of=US; seen=US; gap=US-US; got=ID/US/US ID/US/US ...
//
// All in unix microseconds of the writer's clock but `seen`, which is the reader's own: the as_of
// up to which the writer has the reader's receipts. Each receipt is id/arrived/error.
#ifndef MAILFLOW_BASE_RECEIPT_H
#define MAILFLOW_BASE_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/probe_id.h"
#include "base/text.h"

enum { RECEIPTS_MAXIMUM = 32 };

struct receipt {
    struct probe_id id;
    struct walltime arrived;
    struct span error;
};

struct receipts {
    struct walltime as_of;     // the writer's last complete collect: later arrivals are unknown
    struct walltime seen;      // none when the writer has no receipts of ours yet
    struct walltime gap_begin; // arrivals strictly between the two are left out; none when no gap
    struct walltime gap_end;
    size_t count;
    struct receipt items[RECEIPTS_MAXIMUM];
};

void receipts_format(const struct receipts *receipts, struct text *out);
bool receipts_parse(const char *value, struct receipts *out, struct error *error);

#endif
