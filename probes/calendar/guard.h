// The end of a job that takes too long, said by the program itself: what was being worked on is
// named in a last line. libical can be sent round for ever by what stands in a file; the agent
// kills what does not even come to this.
#ifndef MAILFLOW_PROBES_CALENDAR_GUARD_H
#define MAILFLOW_PROBES_CALENDAR_GUARD_H

#include "base/error.h"
#include "base/instant.h"

// Ends the program with a last line at the deadline, and when its processor time is used up.
bool guard_start(struct instant deadline, struct error *error);

// What the last line will name ("" and 0 for the whole) and say.
void guard_name(const char *uid, unsigned line, const char *message);

#endif
