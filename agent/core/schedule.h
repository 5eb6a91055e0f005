// When each of a fixed set of things is due: an indexed binary heap. Things are small numbers given
// by the caller, each with at most one due time. All operations are O(log n), reading the next
// O(1).
#ifndef MAILFLOW_CORE_SCHEDULE_H
#define MAILFLOW_CORE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/instant.h"

struct schedule {
    struct schedule_entry *heap;
    uint32_t *places; // of each key in the heap, plus one; 0 = not scheduled
    size_t count;
    size_t keys;
};

void schedule_free(struct schedule *schedule);

// Sets, moves or (INSTANT_NEVER) removes the due time of a key. Grows to any key.
void schedule_set(struct schedule *schedule, uint32_t key, struct instant due);

// The earliest due time, INSTANT_NEVER when nothing is scheduled.
struct instant schedule_next(const struct schedule *schedule);

// Takes the earliest key out when it is due; false when none is.
bool schedule_take(struct schedule *schedule, struct instant now, uint32_t *key);

#endif
