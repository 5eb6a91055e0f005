// Times and durations as people read them: 12.3 ms, 82.4 s, 3 m 12 s, 1 d 10 h. Clock times are in
// the local zone of the one who asks. And text that a terminal may be shown.
#ifndef MAILFLOW_CTL_FORMAT_H
#define MAILFLOW_CTL_FORMAT_H

#include "base/instant.h"
#include "base/text.h"

// A measured time, with a digit after the point up to two minutes.
void format_latency(struct span of, struct text *out);

// How long something lasts: whole seconds, cut, in its two largest units.
void format_duration(struct span of, struct text *out);

// Where `at` lies from `now`: "3 m 12 s ago", "in 30 m". A second begun counts down as a whole one.
void format_distance(struct walltime at, struct walltime now, struct text *out);

// "2026-07-28 14:30:00", and the time alone when it is of the same day as `now`.
void format_date(struct walltime at, struct text *out);
void format_clock(struct walltime at, struct walltime now, struct text *out);

// " CEST": the local zone at that time, behind the first of several times.
void format_zone(struct walltime at, struct text *out);

// Text from outside: as text_append_escaped has it, but quotes stay what they are.
void format_text(const char *from, struct text *out);

#endif
