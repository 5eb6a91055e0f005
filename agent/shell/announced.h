// When this run announced its windows, so that it can say how long the peers took to know. Bounded:
// the oldest gives way.
#ifndef MAILFLOW_SHELL_ANNOUNCED_H
#define MAILFLOW_SHELL_ANNOUNCED_H

#include "core/window.h"

enum { ANNOUNCED_KEPT = 64 };

struct announced_windows {
    struct {
        char window[WINDOW_ID_SIZE];
        uint32_t revision;
        struct instant at;
    } items[ANNOUNCED_KEPT]; // a ring
    unsigned count;
};

void announced_note(struct announced_windows *announced, const struct window *window,
                    struct instant now);

// How long ago this revision was announced; zero when an earlier run did it, or long ago.
struct span announced_since(const struct announced_windows *announced, const struct window *window,
                            struct instant now);

#endif
