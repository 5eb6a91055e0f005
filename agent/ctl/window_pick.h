// Which windows an operator means by an id or a server.
#ifndef MAILFLOW_CTL_WINDOW_PICK_H
#define MAILFLOW_CTL_WINDOW_PICK_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/instant.h"

enum {
    WINDOW_PICK_ANNOUNCED = 1,
    WINDOW_PICK_ACTIVE = 2,
    WINDOW_PICK_PAST = 4, // of the agent to refuse
    WINDOW_PICK_ALL = 7,
};

// The states that a verb is for, as a set.
struct window_choice {
    unsigned by_id;
    unsigned by_server;
    bool or_last; // of a server that has none of these: the one that ended last, within a day
};

// The window with this id, else those of this server. A new list, for the caller; NULL with the
// reason when there are none in the states wanted, an empty one when nothing is known by that name.
json_t *window_pick(const json_t *windows, const char *name, struct window_choice choice,
                    struct walltime now, struct error *error);

// That nothing was named and this server has no window to cancel: every window in these states,
// whosever it is, and the line that cancels the first. The error is left alone when there is none.
void window_pick_refuse_unnamed(const json_t *windows, unsigned states, struct error *error);

// The window is over, and was not called off.
bool window_pick_has_ended(const json_t *window);

#endif
