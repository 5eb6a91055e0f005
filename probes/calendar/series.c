#include "probes/calendar/series.h"

#include <stdlib.h>
#include <string.h>

// A series after the other; in it the event itself before what replaces parts of it, of each the
// highest sequence first, and what is off before what is on.
static int compare(const void *left, const void *right)
{
    const struct event *a = left;
    const struct event *b = right;
    int order = strcmp(a->line.uid, b->line.uid);
    if (order != 0) {
        return order;
    }
    if (a->replacement != b->replacement) {
        return a->replacement ? 1 : -1;
    }
    if (a->replaced.ns != b->replaced.ns) {
        return a->replaced.ns < b->replaced.ns ? -1 : 1;
    }
    if (a->sequence != b->sequence) {
        return a->sequence > b->sequence ? -1 : 1;
    }
    return a->line.line < b->line.line ? -1 : 1;
}

static bool same_series(const struct event *a, const struct event *b)
{
    return strcmp(a->line.uid, b->line.uid) == 0;
}

static bool supersedes(const struct event *a, const struct event *b)
{
    return same_series(a, b) && a->replacement == b->replacement &&
           a->replaced.ns == b->replaced.ns && a->sequence > b->sequence;
}

size_t series_settle(struct event *events, size_t count)
{
    size_t kept = 0;
    qsort(events, count, sizeof *events, compare);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && supersedes(&events[kept - 1], &events[i])) {
            event_free(&events[i]);
        } else {
            events[kept++] = events[i];
        }
    }
    return kept;
}

// The first of the event's series, by halving.
static size_t find_series(const struct event *events, size_t count, const char *uid)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (strcmp(events[middle].line.uid, uid) < 0) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return low;
}

bool series_replaced(const struct event *events, size_t count, const struct event *event,
                     struct walltime begin)
{
    size_t i = find_series(events, count, event->line.uid);
    for (; i < count && same_series(&events[i], event); i++) {
        if (events[i].replacement && events[i].replaced.ns == begin.ns) {
            return true;
        }
    }
    return false;
}

bool series_off(const struct event *events, size_t count, const struct event *event)
{
    size_t i = find_series(events, count, event->line.uid);
    return event->off || (!events[i].replacement && events[i].off);
}
