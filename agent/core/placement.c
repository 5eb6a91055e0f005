#include "core/placement.h"

static unsigned shift_in(unsigned bits, bool newest)
{
    return (bits << 1 | newest) & ((1U << PLACEMENTS_KEPT) - 1);
}

void placement_note(struct placement *placement, bool misplaced, bool window)
{
    placement->recent = shift_in(placement->recent, misplaced);
    placement->windows = shift_in(placement->windows, window);
    placement->count += placement->count < PLACEMENTS_KEPT;
}

// Beside one that a window touches all of them.
static unsigned counted(const struct placement *placement)
{
    unsigned kept = (1U << placement->count) - 1;
    return (placement->windows & 1) != 0 ? kept : kept & ~placement->windows;
}

unsigned placement_counted(const struct placement *placement)
{
    return (unsigned)__builtin_popcount(counted(placement));
}

unsigned placement_misplaced(const struct placement *placement)
{
    return (unsigned)__builtin_popcount(placement->recent & counted(placement));
}

bool placement_is_right(const struct placement *placement, unsigned in_a_row)
{
    unsigned row = 0;
    while (row < placement->count && (placement->recent >> row & 1) == 0) {
        row++;
    }
    return row >= in_a_row || row == PLACEMENTS_KEPT;
}
