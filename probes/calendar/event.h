// One VEVENT as maintenance sees it: when it begins, how long it is, what of its own kind it
// replaces, and what it says of the servers it is about.
//
// X-MAINTNOTE-* (the notification format of network operators): IMPACT:NO-IMPACT is no maintenance,
// STATUS:CANCELLED and STATUS:COMPLETED end it, OBJECT-ID names what it is about. The other
// statuses (TENTATIVE, CONFIRMED, IN-PROCESS) and impacts are maintenance.
#ifndef MAILFLOW_PROBES_CALENDAR_EVENT_H
#define MAILFLOW_PROBES_CALENDAR_EVENT_H

#include <libical/ical.h>
#include <stdbool.h>

#include "base/local_time.h"
#include "probes/calendar.h"
#include "probes/calendar/blocks.h"
#include "probes/calendar/zones.h"

// A time as a calendar writes it.
struct event_time {
    struct local_time local;
    struct local_time_zone zone;
    bool date; // a whole day
    bool utc;
};

struct event {
    struct calendar_line line; // what every occurrence of it says: all but begin and end
    struct event_time begin;
    int days;           // its length: so many days by the calendar ...
    struct span length; // ... and this
    int sequence;
    bool off;                 // cancelled, completed or without impact: no maintenance
    bool replacement;         // of one occurrence of the event with the same UID:
    struct walltime replaced; // the one that begins then
    const char *default_zone; // of its times that name none; the blocks'
    icalcomponent *component; // its rules; NULL for a window of the configuration
};

// Reads an event. False with what is wrong with it; its line and UID are set as far as they are
// known. event_free is due either way.
bool event_read(const struct blocks *blocks, const struct block *block, struct zones *zones,
                struct event *out, struct error *error);
void event_free(struct event *event);

// The value of a DTSTART, RDATE, ... in the zone that the property names.
bool event_time_read(icalproperty *property, struct icaltimetype value, const char *default_zone,
                     struct zones *zones, struct event_time *out, struct error *error);

struct walltime event_time_wall(const struct event_time *time);

#endif
