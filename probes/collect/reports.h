// Standard output of mailflow-collect: one report a line. What is found together wakes the agent
// once: reports are collected until they fill a buffer or the program is about to wait.
#ifndef MAILFLOW_PROBES_COLLECT_REPORTS_H
#define MAILFLOW_PROBES_COLLECT_REPORTS_H

#include "probes/probe.h"

// Empties a report for this kind and mailbox, and returns it.
struct collect_report *report_begin(struct collect_report *report, enum collect_report_kind kind,
                                    const char *mailbox);

// A probe whose lists make the line too long for the agent is reported as rejected instead.
void report_write(const struct collect_report *report);

// To be called before every wait.
void reports_flush(void);

#endif
