// How each list of peers stands: whether it could be read or asked for, and when last.
#ifndef MAILFLOW_SHELL_PEER_SOURCES_H
#define MAILFLOW_SHELL_PEER_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "config/config.h"
#include "shell/journal.h"

struct peer_source {
    char *name; // the file, or the name that is asked for
    bool srv;
    bool failing;
    struct walltime succeeded; // none before the first time
    size_t servers;
};

// In the order of settings->lists.
struct peer_sources {
    struct peer_source *items;
    size_t count;
};

// The lists have been read: files stand as that says, names as they did. What works again is said.
void peer_sources_take(struct peer_sources *sources, const struct settings *settings,
                       struct walltime now, struct journal *journal);

// A name has answered, or has not: what is new of that is said.
void peer_sources_answered(struct peer_sources *sources, const char *name, struct walltime now,
                           struct journal *journal);
void peer_sources_failed(struct peer_sources *sources, const char *name, const char *cause,
                         struct journal *journal);

void peer_sources_free(struct peer_sources *sources);

#endif
