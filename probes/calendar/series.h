// The events of a file, sorted into series: those with the same UID, of which one says when it
// recurs and others replace single occurrences of it.
//
// Of events that are the same (UID, and what they replace) the highest SEQUENCE holds; those of
// equal SEQUENCE all hold, as notices of one UID about several works do.
#ifndef MAILFLOW_PROBES_CALENDAR_SERIES_H
#define MAILFLOW_PROBES_CALENDAR_SERIES_H

#include "probes/calendar/event.h"
#include "probes/calendar/occurrences.h"

// Sorts the events into their series, and drops those that another one supersedes. The number of
// those left, in front.
size_t series_settle(struct event *events, size_t count);

// Whether another event of the series stands in for the occurrence of this one that begins then.
bool series_replaced(const struct event *events, size_t count, const struct event *event,
                     struct walltime begin);

// Whether it does not take place: it is off itself, or its series as a whole is.
bool series_off(const struct event *events, size_t count, const struct event *event);

#endif
