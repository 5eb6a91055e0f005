#include "core/flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

bool flight_uncertain(const struct flight *flight)
{
    return (flight->sent.ns & 1) != 0;
}

void flight_mark(struct flight *flight, bool uncertain)
{
    flight->sent.ns = (flight->sent.ns & ~INT64_C(1)) | uncertain;
}

void flights_free(struct flights *flights)
{
    free(flights->items);
    *flights = (struct flights){0};
}

ptrdiff_t flights_find(const struct flights *flights, const struct probe_id *id)
{
    for (size_t i = flights->count; i > 0; i--) {
        if (probe_id_equal(&flights->items[i - 1].id, id)) {
            return (ptrdiff_t)i - 1;
        }
    }
    return -1;
}

void flights_remove(struct flights *flights, size_t place)
{
    flights->count--;
    memmove(flights->items + place, flights->items + place + 1,
            (flights->count - place) * sizeof *flights->items);
}

struct flight *flights_add(struct flights *flights, const struct probe_id *id, struct walltime sent)
{
    if (flights->count == flights->room) {
        flights->room = flights->room + flights->room / 16 + 2;
        flights->items =
            memory_checked(realloc(flights->items, flights->room * sizeof *flights->items));
    }
    size_t place = flights->count;
    while (place > 0 && flights->items[place - 1].sent.ns > sent.ns) {
        place--;
    }
    memmove(flights->items + place + 1, flights->items + place,
            (flights->count - place) * sizeof *flights->items);
    flights->items[place] = (struct flight){.sent = sent, .id = *id};
    flight_mark(&flights->items[place], false);
    flights->count++;
    return &flights->items[place];
}
