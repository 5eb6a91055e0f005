// Standard output of mailflow-collect: one report a line, written whole.
#ifndef MAILFLOW_PROBES_COLLECT_REPORTS_H
#define MAILFLOW_PROBES_COLLECT_REPORTS_H

#include "probes/probe.h"

// Empties a report for this kind and mailbox, and returns it.
struct collect_report *report_begin(struct collect_report *report, enum collect_report_kind kind,
                                    const char *mailbox);

// A probe whose lists make the line too long for the agent is reported as rejected instead.
void report_write(const struct collect_report *report);

#endif
