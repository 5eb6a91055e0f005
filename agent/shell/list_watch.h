// Whether the files change that the lists of peers are read from.
#ifndef MAILFLOW_SHELL_LIST_WATCH_H
#define MAILFLOW_SHELL_LIST_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

// All of the files in one number each; 0 = not known.
struct list_watch {
    uint64_t seen;  // at the last look
    uint64_t read;  // when the lists were last read
    unsigned looks; // since then
};

// Looks at the files. True when they differ from what was read and have kept still since the last
// look, for they might still be being written; and at every 30th look while the settings have a
// file that could not be read, for not every cause shows in the file. They count as read then.
bool list_watch_look(struct list_watch *watch, const struct settings *settings);

#endif
