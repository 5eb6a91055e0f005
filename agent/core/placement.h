// Whether a path's probes arrive where they should: in the first folder of their mailbox, and not
// in the one for junk. Pure.
//
// While maintenance has to do with it mail may be put anywhere: what comes afterwards is not judged
// by that.
#ifndef MAILFLOW_CORE_PLACEMENT_H
#define MAILFLOW_CORE_PLACEMENT_H

#include <stdbool.h>

enum { PLACEMENTS_KEPT = 5, PLACEMENTS_MISPLACED = 3 };

struct placement {
    unsigned recent;  // bits, the newest is the lowest: misplaced
    unsigned windows; // likewise: a window touches it
    unsigned count;   // of them, at most PLACEMENTS_KEPT
};

void placement_note(struct placement *placement, bool misplaced, bool window);

// Of those that are kept: how many count beside the newest, and how many of these were misplaced.
unsigned placement_counted(const struct placement *placement);
unsigned placement_misplaced(const struct placement *placement);

// The newest so many were all where they should be.
bool placement_is_right(const struct placement *placement, unsigned in_a_row);

#endif
