// The windows that an origin other than the operator and the peers wants: what a calendar, the
// configuration or a flag says, as windows of servers of the mesh. core/agenda.h compares them with
// what is known.
#ifndef MAILFLOW_SHELL_WANTED_H
#define MAILFLOW_SHELL_WANTED_H

#include "config/config.h"
#include "core/window.h"
#include "probes/calendar.h"

struct wanted {
    struct window *items; // owned
    size_t count;
    size_t room;
};

// Adds a window; one of the same id is there once, and lasts as long as the longer of the two. Past
// WINDOWS_MAXIMUM nothing is added.
void wanted_add(struct wanted *wanted, const struct window *window);
const struct window *wanted_find(const struct wanted *wanted, const char *id); // or NULL
void wanted_free(struct wanted *wanted);

// The id of a window, made of what does not change about it, so that every agent that reads the
// same calendar gives it the same one. `source`: the event's UID, or the rule.
void wanted_id(char prefix, const char *source, const char *server, struct walltime begin,
               char id[WINDOW_ID_SIZE]);

// The server of the mesh that is called so, whatever the case and with or without a domain behind
// it; NULL when none is.
const char *wanted_server(const struct settings *settings, const char *name);

// The servers of the mesh that an occurrence is about: those that its objects name or, when it has
// none, its location, else its categories, else its summary. Returns how many, at most `room`.
size_t wanted_servers(const struct settings *settings, const struct calendar_line *line,
                      const char **servers, size_t room);

#endif
