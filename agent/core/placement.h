// Whether a path's probes arrive where they should: in the first folder of their mailbox, and not
// in the one for junk. Pure.
#ifndef MAILFLOW_CORE_PLACEMENT_H
#define MAILFLOW_CORE_PLACEMENT_H

#include <stdbool.h>

enum { PLACEMENTS_KEPT = 5, PLACEMENTS_MISPLACED = 3 };

struct placement {
    unsigned recent; // bits, the newest is the lowest: misplaced
    unsigned count;  // of them, at most PLACEMENTS_KEPT
};

void placement_note(struct placement *placement, bool misplaced);

unsigned placement_misplaced(const struct placement *placement); // of those that are kept

// The newest so many were all where they should be.
bool placement_is_right(const struct placement *placement, unsigned in_a_row);

#endif
