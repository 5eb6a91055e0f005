#include "core/agenda.h"

#include <string.h>

// Whether the window is still what this origin has made it.
static bool is_ours(const struct window *window, enum window_origin origin, const char *server)
{
    return window->origin == origin && window_is_by(window, origin, server);
}

static void compose(const struct window *before, enum window_origin origin,
                    const struct window *wanted, struct window *out)
{
    *out = *wanted;
    out->revision = before == NULL ? 1 : before->revision + 1;
    out->cancelled = false;
    out->origin = origin;
}

// The change that a wanted window amounts to; false when it is none.
static bool change_wanted(const struct windows *known, enum window_origin origin,
                          const char *server, const struct window *wanted, struct window *out)
{
    const struct window *before = windows_find(known, wanted->id);
    if (before != NULL && (!is_ours(before, origin, server) || window_equal(before, wanted))) {
        return false;
    }
    compose(before, origin, wanted, out);
    return true;
}

bool agenda_take_over(const struct windows *known, enum window_origin origin,
                      const struct window *changed, struct walltime now, struct window *out)
{
    const struct window *before = windows_find(known, changed->id);
    bool over = before != NULL && before->end.ns <= now.ns && changed->end.ns <= now.ns;
    if (before == NULL || over || before->origin != ORIGIN_PEER ||
        !window_is_by(before, origin, window_announcer(before)) || window_equal(before, changed)) {
        return false;
    }
    compose(before, origin, changed, out);
    return true;
}

static bool is_wanted(const struct window *window, const struct window *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(wanted[i].id, window->id) == 0) {
            return true;
        }
    }
    return false;
}

// The end of a window that is not wanted any more; false when it is over anyway.
static bool change_gone(const struct window *window, struct walltime now, struct window *out)
{
    if (window_void(window) || window->end.ns <= now.ns) {
        return false;
    }
    *out = *window;
    out->revision++;
    out->cancelled = window->begin.ns >= now.ns;
    out->end = out->cancelled ? window->begin : now;
    return true;
}

size_t agenda_reconcile(const struct windows *known, enum window_origin origin, const char *server,
                        const struct window *wanted, size_t wanted_count, struct walltime now,
                        struct window *changes, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < wanted_count && count < room; i++) {
        count += change_wanted(known, origin, server, &wanted[i], &changes[count]);
    }
    for (size_t i = 0; i < known->count && count < room; i++) {
        const struct window *window = &known->items[i];
        if (is_ours(window, origin, server) && !is_wanted(window, wanted, wanted_count)) {
            count += change_gone(window, now, &changes[count]);
        }
    }
    return count;
}
