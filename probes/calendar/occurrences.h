// When an event takes place: its rules, further dates and exceptions worked out, in order, each
// beginning once.
//
// Rules recur in local time and every occurrence is brought to UTC on its own, so that 02:00 stays
// 02:00 over a change of the clocks. What recurs more often than CALENDAR_PER_EVENT_MAXIMUM times
// in the time asked for is refused as a whole.
#ifndef MAILFLOW_PROBES_CALENDAR_OCCURRENCES_H
#define MAILFLOW_PROBES_CALENDAR_OCCURRENCES_H

#include "probes/calendar/event.h"

enum { CALENDAR_PER_EVENT_MAXIMUM = 400 }; // every hour for two weeks, and more

struct occurrence {
    struct walltime begin;
    struct walltime end;
};

struct occurrences {
    struct occurrence items[CALENDAR_PER_EVENT_MAXIMUM];
    size_t count;
};

// `rule` for an event of the configuration, "" where it takes place once. False with what is wrong
// with the rule.
bool occurrences_find(const struct event *event, const char *rule, struct zones *zones,
                      const struct calendar_job *job, struct occurrences *out, struct error *error);

#endif
