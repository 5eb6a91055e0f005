// Local times: what a clock on a wall shows, and what that is in UTC.
//
// A local time may come twice, or not at all, in the hour in which the offset from UTC changes. RFC
// 5545 section 3.3.5: one that comes twice is the first of the two; one that does not come is read
// with the offset from before the gap. So 2026-03-29T02:30 in Stockholm is 01:30Z, and
// 2026-10-25T02:30 is 00:30Z.
#ifndef MAILFLOW_BASE_LOCAL_TIME_H
#define MAILFLOW_BASE_LOCAL_TIME_H

#include <stdbool.h>

#include "base/instant.h"

struct local_time {
    int year;
    int month; // from 1
    int day;   // from 1
    int hour;
    int minute;
    int second; // up to 59
};

enum { LOCAL_TIME_YEAR_MINIMUM = 1970, LOCAL_TIME_YEAR_MAXIMUM = 2199 };

// A day that the calendar has, in a year of those above, and a time that a clock shows.
bool local_time_valid(const struct local_time *local);

// Exactly 2026-01-04T02:00, a blank for the T and :SS at its end allowed.
bool local_time_parse(const char *from, struct local_time *out);

// Exactly 22:30 or 22:30:15; the day stays as it is.
bool local_time_parse_clock(const char *from, struct local_time *out);

// So many days later (or earlier, when negative), at the same time of day.
struct local_time local_time_add_days(const struct local_time *local, int days);

// Local time minus UTC, at an instant in time.
struct local_time_zone {
    struct span (*offset_at)(const void *context, struct walltime at);
    const void *context;
};

// Of this process: the machine's own, unless TZ is set.
extern const struct local_time_zone LOCAL_TIME_HERE;
extern const struct local_time_zone LOCAL_TIME_UTC;

// Of a valid local time.
struct walltime local_time_to_wall(const struct local_time *local,
                                   const struct local_time_zone *zone);

struct local_time local_time_from_wall(struct walltime at, const struct local_time_zone *zone);

// Whether this machine knows the zone: IANA's names, as tzdata has them.
bool local_time_zone_exists(const char *name);

#endif
