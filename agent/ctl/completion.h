// What may come next on a command line of mailflowctl that is being typed, by the tables of verbs
// and options: for the shells. Pure; names are asked for by verb_complete.c.
#ifndef MAILFLOW_CTL_COMPLETION_H
#define MAILFLOW_CTL_COMPLETION_H

#include <stddef.h>

#include "ctl/verb.h"

enum completion_want {
    COMPLETION_NOTHING, // that we could tell
    COMPLETION_VERBS,
    COMPLETION_OPTIONS,
    COMPLETION_FILES,
    COMPLETION_WORDS,   // of `choices`
    COMPLETION_PEERS,   // servers that probes are sent to
    COMPLETION_SERVERS, // of the mesh, this one too
    COMPLETION_WINDOWS, // ids of windows, and servers
    COMPLETION_PROBES
};

struct completion {
    enum completion_want want;
    const struct verb *verb; // NULL while it is not known
    const char *group;       // the first word of a verb of two words, else NULL
    const char *choices;     // separated by blanks
    const char *typed;       // the beginning of the word that is wanted
    const char *control;     // --control and --config as given on the line, or NULL
    const char *config;
};

// `words`: the line without the program's name; the last is the one being typed, perhaps empty. A
// shell may cut --config=FILE into three. Points into the words.
struct completion completion_read(const char *const *words, size_t count);

#endif
