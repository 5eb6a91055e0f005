#include "core/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char *const STATE_NAMES[] = {"announced", "active", "recovering", "over"};

const char *window_kind_name(enum window_kind kind)
{
    return kind == WINDOW_EMERGENCY ? "emergency" : "routine";
}

bool window_kind_parse(const char *name, enum window_kind *out)
{
    *out = strcmp(name, "emergency") == 0 ? WINDOW_EMERGENCY : WINDOW_ROUTINE;
    return strcmp(name, window_kind_name(*out)) == 0;
}

const char *window_state_name(enum window_state state)
{
    return STATE_NAMES[state];
}

static const char *const ORIGIN_NAMES[WINDOW_ORIGINS] = {
    "operator", "config", "calendar", "flag", "peer",
};

const char *window_origin_name(enum window_origin origin)
{
    return ORIGIN_NAMES[origin];
}

bool window_origin_parse(const char *name, enum window_origin *out)
{
    for (int i = 0; i < WINDOW_ORIGINS; i++) {
        if (strcmp(name, ORIGIN_NAMES[i]) == 0) {
            *out = (enum window_origin)i;
            return true;
        }
    }
    return false;
}

enum window_state window_state_at(const struct window *window, struct walltime now,
                                  struct span recovery)
{
    if (window->cancelled && window->end.ns <= window->begin.ns) {
        return WINDOW_OVER;
    }
    return now.ns < window->begin.ns                         ? WINDOW_ANNOUNCED
           : now.ns < window->end.ns                         ? WINDOW_ACTIVE
           : now.ns < walltime_add(window->end, recovery).ns ? WINDOW_RECOVERING
                                                             : WINDOW_OVER;
}

enum window_stage window_stage_at(const struct window *window, struct walltime now,
                                  struct span settle)
{
    if (window->end.ns <= window->begin.ns) {
        return STAGE_SETTLED;
    }
    return now.ns < window->begin.ns                       ? STAGE_ANNOUNCED
           : now.ns < window->end.ns                       ? STAGE_BEGUN
           : now.ns < walltime_add(window->end, settle).ns ? STAGE_ENDED
                                                           : STAGE_SETTLED;
}

bool window_suppresses(const struct window *window, struct walltime now, struct span settle)
{
    return window->begin.ns < window->end.ns && now.ns >= window->begin.ns &&
           now.ns < walltime_add(window->end, settle).ns;
}

void windows_free(struct windows *windows)
{
    free(windows->items);
    *windows = (struct windows){0};
}

struct window *windows_find(struct windows *windows, const char *id)
{
    for (size_t i = 0; i < windows->count; i++) {
        if (strcmp(windows->items[i].id, id) == 0) {
            return &windows->items[i];
        }
    }
    return NULL;
}

struct window *windows_put(struct windows *windows, const struct window *window)
{
    struct window *known = windows_find(windows, window->id);
    if (known == NULL) {
        if (windows->count == WINDOWS_MAXIMUM) {
            return NULL;
        }
        size_t size = (windows->count + 1) * sizeof *windows->items;
        windows->items = memory_checked(realloc(windows->items, size));
        known = &windows->items[windows->count++];
        *known = (struct window){0};
    } else if (known->revision >= window->revision) {
        return NULL;
    }
    enum window_stage stage = known->revision == 0 ? STAGE_ANNOUNCED : known->stage;
    *known = *window;
    known->stage = stage;
    return known;
}

const struct window *windows_suppressing(const struct windows *windows, const char *server,
                                         struct walltime now, struct span settle)
{
    const struct window *longest = NULL;
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];
        if (strcmp(window->server, server) == 0 && window_suppresses(window, now, settle) &&
            (longest == NULL || window->end.ns > longest->end.ns)) {
            longest = window;
        }
    }
    return longest;
}

void windows_forget(struct windows *windows, struct walltime before)
{
    size_t kept = 0;
    for (size_t i = 0; i < windows->count; i++) {
        if (windows->items[i].end.ns >= before.ns) {
            windows->items[kept++] = windows->items[i];
        }
    }
    windows->count = kept;
}
