#include "core/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct schedule_entry {
    struct instant due;
    uint32_t key;
};

void schedule_free(struct schedule *schedule)
{
    free(schedule->heap);
    free(schedule->places);
    *schedule = (struct schedule){0};
}

static void schedule_grow(struct schedule *schedule, uint32_t key)
{
    if (key < schedule->keys) {
        return;
    }
    size_t keys = schedule->keys * 2 > key + 16u ? schedule->keys * 2 : key + 16u;
    schedule->heap = memory_checked(realloc(schedule->heap, keys * sizeof *schedule->heap));
    schedule->places = memory_checked(realloc(schedule->places, keys * sizeof *schedule->places));
    memset(schedule->places + schedule->keys, 0,
           (keys - schedule->keys) * sizeof *schedule->places);
    schedule->keys = keys;
}

static void schedule_put(struct schedule *schedule, size_t place, struct schedule_entry entry)
{
    schedule->heap[place] = entry;
    schedule->places[entry.key] = (uint32_t)place + 1;
}

static void sift_up(struct schedule *schedule, size_t place)
{
    struct schedule_entry entry = schedule->heap[place];
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (schedule->heap[parent].due.ns <= entry.due.ns) {
            break;
        }
        schedule_put(schedule, place, schedule->heap[parent]);
        place = parent;
    }
    schedule_put(schedule, place, entry);
}

static void sift_down(struct schedule *schedule, size_t place)
{
    struct schedule_entry entry = schedule->heap[place];
    for (size_t child; (child = 2 * place + 1) < schedule->count; place = child) {
        if (child + 1 < schedule->count &&
            schedule->heap[child + 1].due.ns < schedule->heap[child].due.ns) {
            child++;
        }
        if (schedule->heap[child].due.ns >= entry.due.ns) {
            break;
        }
        schedule_put(schedule, place, schedule->heap[child]);
    }
    schedule_put(schedule, place, entry);
}

static void schedule_remove(struct schedule *schedule, size_t place)
{
    schedule->places[schedule->heap[place].key] = 0;
    schedule->count--;
    if (place < schedule->count) {
        schedule_put(schedule, place, schedule->heap[schedule->count]);
        sift_up(schedule, place);
        sift_down(schedule, schedule->places[schedule->heap[place].key] - 1u);
    }
}

void schedule_set(struct schedule *schedule, uint32_t key, struct instant due)
{
    bool never = due.ns == INSTANT_NEVER.ns;
    if (never && key >= schedule->keys) {
        return;
    }
    schedule_grow(schedule, key);
    if (schedule->places[key] != 0) {
        size_t place = schedule->places[key] - 1u;
        if (never) {
            schedule_remove(schedule, place);
            return;
        }
        schedule->heap[place].due = due;
        sift_up(schedule, place);
        sift_down(schedule, schedule->places[key] - 1u);
    } else if (!never) {
        schedule_put(schedule, schedule->count, (struct schedule_entry){due, key});
        sift_up(schedule, schedule->count++);
    }
}

struct instant schedule_next(const struct schedule *schedule)
{
    return schedule->count == 0 ? INSTANT_NEVER : schedule->heap[0].due;
}

bool schedule_take(struct schedule *schedule, struct instant now, uint32_t *key)
{
    if (schedule->count == 0 || !instant_reached(now, schedule->heap[0].due)) {
        return false;
    }
    *key = schedule->heap[0].key;
    schedule_remove(schedule, 0);
    return true;
}
