// The walk over the nodes that fills the settings, key by key from the table.
#ifndef MAILFLOW_CONFIG_READ_H
#define MAILFLOW_CONFIG_READ_H

#include <stdbool.h>

#include "base/arena.h"
#include "config/config.h"
#include "config/document.h"
#include "config/problem.h"

// One settings_load under way.
struct reading {
    struct settings *settings;
    const struct settings *before; // in force until now, NULL at the start
    struct arena *arena;           // of the settings
    struct problem_list *problems;
    bool incomplete;    // a file could not be read: what is missing may stand in it
    const char *beside; // where secrets with a bare name stand, unless they are credentials
    bool secrets;       // they are to be read, and calendars and flags to be there
};

// Fills the settings. What is wrong with a value is a problem, and its default stands.
void settings_read(struct reading *reading, const struct node *root);

// Judges what one value alone does not show, reads the secrets, and derives what depends on
// several keys. `root` is what the settings were read from, and says where things stand.
void settings_check(struct reading *reading, const struct node *root);

#endif
