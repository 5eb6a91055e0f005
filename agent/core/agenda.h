// What one origin wants (a calendar, the configuration, flags, Alertmanager) against what is known:
// which windows are new, changed or gone. Windows are recognised by their ids, which the origin
// makes from what does not change about them.
//
// A window that somebody else has taken over since, an operator or another agent, is left alone:
// `by` tells, for the last one to change a window puts his name there.
#ifndef MAILFLOW_CORE_AGENDA_H
#define MAILFLOW_CORE_AGENDA_H

#include <stddef.h>

#include "core/window.h"

// `server`: whose agent speaks for this origin; `wanted`: everything that it wants now, of which
// id, server, kind, begin, end, by and reason are read. Fills at most `room` changes, each whole
// and of the revision that it is to have, for EVENT_WINDOW; returns how many. When as many as there
// was room for, there may be more: call again once these have been taken in.
//
// What is wanted comes before what is not any more, so that one window may replace another without
// a moment between them.
//
// New ones are changes even if they are over already: what waited through them is excused. A window
// that is not wanted any more is cancelled before its begin, ends now when it is active, and stays
// as it was when it is over.
size_t agenda_reconcile(const struct windows *known, enum window_origin origin, const char *server,
                        const struct window *wanted, size_t wanted_count, struct walltime now,
                        struct window *changes, size_t room);

// A window of another agent that has it from the same origin, and that has changed before our eyes:
// the other one may not be there any more to say so, so that we do. False when it is none, or
// nothing about it is new. The change is as above.
bool agenda_take_over(const struct windows *known, enum window_origin origin,
                      const struct window *changed, struct walltime now, struct window *out);

#endif
