#include "shell/announced.h"

#include <string.h>

#include "base/text.h"

static int find(const struct announced_windows *announced, const struct window *window)
{
    for (unsigned i = 0; i < ANNOUNCED_KEPT && i < announced->count; i++) {
        if (announced->items[i].revision == window->revision &&
            strcmp(announced->items[i].window, window->id) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int add(struct announced_windows *announced, const struct window *window, struct instant at)
{
    int place = (int)(announced->count++ % ANNOUNCED_KEPT);
    text_copy(announced->items[place].window, WINDOW_ID_SIZE, window->id);
    announced->items[place].revision = window->revision;
    announced->items[place].at = at;
    announced->items[place].known = false;
    return place;
}

void announced_note(struct announced_windows *announced, const struct window *window,
                    struct instant now)
{
    add(announced, window, now);
}

bool announced_known(struct announced_windows *announced, const struct window *window,
                     struct instant now, struct span *after)
{
    int place = find(announced, window);
    place = place < 0 ? add(announced, window, now) : place;
    bool first = !announced->items[place].known;
    announced->items[place].known = true;
    *after = instant_since(now, announced->items[place].at);
    return first;
}
