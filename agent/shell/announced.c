#include "shell/announced.h"

#include <string.h>

#include "base/text.h"

void announced_note(struct announced_windows *announced, const struct window *window,
                    struct instant now)
{
    unsigned place = announced->count++ % ANNOUNCED_KEPT;
    text_copy(announced->items[place].window, WINDOW_ID_SIZE, window->id);
    announced->items[place].revision = window->revision;
    announced->items[place].at = now;
}

struct span announced_since(const struct announced_windows *announced, const struct window *window,
                            struct instant now)
{
    for (unsigned i = 0; i < ANNOUNCED_KEPT && i < announced->count; i++) {
        if (announced->items[i].revision == window->revision &&
            strcmp(announced->items[i].window, window->id) == 0) {
            return instant_since(now, announced->items[i].at);
        }
    }
    return SPAN_ZERO;
}
