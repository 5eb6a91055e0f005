// Messages that are no probes, looked at again: a report of what became of a probe of the mesh is
// reported, everything else left alone. Part of reader.h.
#ifndef MAILFLOW_PROBES_COLLECT_SUSPECTS_H
#define MAILFLOW_PROBES_COLLECT_SUSPECTS_H

#include <stdbool.h>

#include "probes/collect/reader.h"

// Looks at the suspects of the selected folder, which has none afterwards. False when the
// connection is of no use any more, with the reason: those not looked at remain.
bool suspects_examine(struct reader *reader, struct error *error);

#endif
