// One of the probers (probes/), run by a verb that has to know now: a job goes in, its lines come
// out. With a closed environment, and killed in the end, as the agent does it.
#ifndef MAILFLOW_CTL_PROBER_CHILD_H
#define MAILFLOW_CTL_PROBER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/json_read.h"

struct prober_child {
    pid_t pid; // 0 when there is none
    int input;
    int output;
    char name[32];
    size_t length; // of what has been read
    size_t taken;  // of that, the lines handed out
    char bytes[JSON_LINE_MAXIMUM + 1];
};

// `folder` is where the probers are. False with the reason, and then there is nothing to stop.
bool prober_child_start(struct prober_child *child, const char *folder, const char *name,
                        struct error *error);

// Writes the line, and frees it.
void prober_child_write(struct prober_child *child, char *line);

// The next line, valid until the next call. False with the reason when none comes any more: at the
// deadline, when the prober has ended, when we were interrupted.
bool prober_child_read(struct prober_child *child, struct instant deadline, const char **line,
                       size_t *length, struct error *error);

// One job for a prober of its own, which has ended when this returns: writes the line of the job,
// and frees it; the line that comes back lies in `child`. A prober keeps its deadline by itself,
// and one that has not answered is let clean up before it is killed.
bool prober_child_ask(struct prober_child *child, const char *folder, const char *name, char *job,
                      struct instant deadline, const char **line, size_t *length,
                      struct error *error);

// Does nothing when there is none; a zeroed one is none.
void prober_child_stop(struct prober_child *child);

#endif
