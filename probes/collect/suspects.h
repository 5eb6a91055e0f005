// Messages that are no probes and may be reports of delivery, looked into: a report of what became
// of a probe of the mesh is reported, everything else left alone. Part of reader.h.
//
// Anybody can send such messages, in any number, and what they cost is the mailbox's time: so they
// are looked into after the probes, a little at a time, and no probe waits for more than the
// command that is under way.
#ifndef MAILFLOW_PROBES_COLLECT_SUSPECTS_H
#define MAILFLOW_PROBES_COLLECT_SUSPECTS_H

#include <stdbool.h>

#include "probes/collect/reader.h"

#define SUSPECTS_SPAN SPAN_MS(100) // at a time; the command that passes it is the last

// Looks into suspects of the selected folder, the newest first, until there is none, news have come
// or their time is over. False when the connection is of no use any more, with the reason: those
// not looked into remain, but for one that has broken two of them.
bool suspects_examine(struct reader *reader, struct error *error);

#endif
