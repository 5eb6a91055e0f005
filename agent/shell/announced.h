// When this run announced its windows, so that it can say how long the peers took to know. Bounded:
// the oldest gives way.
#ifndef MAILFLOW_SHELL_ANNOUNCED_H
#define MAILFLOW_SHELL_ANNOUNCED_H

#include <stdbool.h>

#include "core/window.h"

enum { ANNOUNCED_KEPT = 64 };

struct announced_windows {
    struct {
        char window[WINDOW_ID_SIZE];
        uint32_t revision;
        struct instant at;
        bool known;          // everybody knows it, and that has been said
    } items[ANNOUNCED_KEPT]; // a ring
    unsigned count;
};

void announced_note(struct announced_windows *announced, const struct window *window,
                    struct instant now);

// Everybody knows this revision: true once, with how long it took since it was announced; zero when
// an earlier run did that, or long ago.
bool announced_known(struct announced_windows *announced, const struct window *window,
                     struct instant now, struct span *after);

#endif
