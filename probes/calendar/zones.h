// The time zones of one calendar: those of this machine's tzdata by their IANA names and, where a
// name is none of these, the VTIMEZONEs of the file. Of libical only the offset of a VTIMEZONE at
// an instant in UTC is used; its way from local time to UTC is wrong in the hour of a change.
//
// The offset of an IANA zone comes from the C library with TZ set: one zone is in force at a time,
// which only a program with one thread and one purpose can afford.
#ifndef MAILFLOW_PROBES_CALENDAR_ZONES_H
#define MAILFLOW_PROBES_CALENDAR_ZONES_H

#include "base/error.h"
#include "base/local_time.h"
#include "probes/calendar/blocks.h"

struct zones;

// The blocks may be NULL, and must outlive the zones otherwise.
struct zones *zones_create(const struct blocks *blocks);
void zones_destroy(struct zones *zones);

// The zone by its TZID, this machine's own for "". It lives as long as the zones.
bool zones_find(struct zones *zones, const char *name, struct local_time_zone *out,
                struct error *error);

#endif
