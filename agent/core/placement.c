#include "core/placement.h"

void placement_note(struct placement *placement, bool misplaced)
{
    placement->recent = (placement->recent << 1 | misplaced) & ((1U << PLACEMENTS_KEPT) - 1);
    placement->count += placement->count < PLACEMENTS_KEPT;
}

unsigned placement_misplaced(const struct placement *placement)
{
    return (unsigned)__builtin_popcount(placement->recent);
}

bool placement_is_right(const struct placement *placement, unsigned in_a_row)
{
    unsigned row = 0;
    while (row < placement->count && (placement->recent >> row & 1) == 0) {
        row++;
    }
    return row >= in_a_row || row == PLACEMENTS_KEPT;
}
