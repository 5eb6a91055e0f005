// The flags directory, watched: which servers have a file of their name there, and what it says
// (shell/flag_file.h). Changes are seen at once where the kernel tells of them, and within a second
// where it does not, or when the directory itself comes later.
//
// What cannot be used is said once, until the file changes. A directory that cannot be read keeps
// its windows; one that is not there has no flags.
#ifndef MAILFLOW_SHELL_FLAGS_H
#define MAILFLOW_SHELL_FLAGS_H

#include <uv.h>

#include "config/config.h"
#include "shell/journal.h"
#include "shell/wanted.h"

struct flags;

struct flags_handlers {
    // A flag came, went or changed: ask flags_want.
    void (*changed)(void *context);
};

// The settings must outlive the flags or the next flags_configure.
struct flags *flags_create(uv_loop_t *loop, const struct settings *settings,
                           struct journal *journal, const struct flags_handlers *handlers,
                           void *context);
void flags_configure(struct flags *flags, const struct settings *settings);

// Looks at the directory; to be called every second.
void flags_look(struct flags *flags);

// Adds the windows of all flags. One that has been touched while its window lasts goes on with that
// window: `known` tells.
void flags_want(const struct flags *flags, const struct windows *known, struct wanted *out);

// Returns at once; the loop runs dry afterwards.
void flags_destroy(struct flags *flags);

#endif
