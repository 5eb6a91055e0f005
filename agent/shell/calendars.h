// The windows that calendar files and the configuration want, worked out by mailflow-calendar: one
// short-lived process at a time, for each file when it changes, and for all of them at the start,
// on reload and every hour, so that the horizon moves on.
//
// A calendar that cannot be used keeps the windows that it had, and so does an event: being unable
// to read that a window is off is no reason to take it off. Each is said once, and once more when
// it is over.
#ifndef MAILFLOW_SHELL_CALENDARS_H
#define MAILFLOW_SHELL_CALENDARS_H

#include <uv.h>

#include "base/instant.h"
#include "config/config.h"
#include "shell/journal.h"
#include "shell/wanted.h"

struct calendars;

struct calendars_handlers {
    // What is wanted may have changed: ask calendars_want.
    void (*changed)(void *context);
};

// The settings must outlive the calendars or the next calendars_configure.
struct calendars *calendars_create(uv_loop_t *loop, const char *probers,
                                   const struct settings *settings, struct journal *journal,
                                   const struct calendars_handlers *handlers, void *context);
void calendars_configure(struct calendars *calendars, const struct settings *settings);

// Looks whether a file has changed or time is up; to be called every second.
void calendars_look(struct calendars *calendars, struct moment now);

// Adds all that is wanted of the origin (ORIGIN_CONFIG or ORIGIN_CALENDAR): of what is known, also
// that of which it cannot be told now whether it still is.
void calendars_want(const struct calendars *calendars, enum window_origin origin,
                    const struct windows *known, struct wanted *out);

// Ends the process, if there is one. Returns at once; the loop runs dry afterwards.
void calendars_destroy(struct calendars *calendars);

#endif
