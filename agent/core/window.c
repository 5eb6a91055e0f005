#include "core/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

// Two agents that read one calendar, or know each other's clocks only so well, mean the same time.
#define SAME_TIME SPAN_SECONDS(1)

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
    "operator", "config", "calendar", "flag", "alertmanager", "peer",
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

bool window_id_valid(const char *id)
{
    return text_is_name(id, WINDOW_ID_SIZE);
}

const char *window_announcer(const struct window *window)
{
    const char *at = strrchr(window->by, '@');
    return at == NULL ? "" : at + 1;
}

bool window_is_by(const struct window *window, enum window_origin origin, const char *server)
{
    const char *name = ORIGIN_NAMES[origin];
    size_t length = strlen(name);
    return strncmp(window->by, name, length) == 0 && strchr("@:", window->by[length]) != NULL &&
           strcmp(window_announcer(window), server) == 0;
}

bool window_void(const struct window *window)
{
    return window->end.ns <= window->begin.ns;
}

static bool near(struct walltime a, struct walltime b)
{
    struct span apart = walltime_since(a, b);
    return apart.ns >= -SAME_TIME.ns && apart.ns <= SAME_TIME.ns;
}

bool window_same(const struct window *a, const struct window *b)
{
    return strcmp(a->server, b->server) == 0 && a->kind == b->kind &&
           a->cancelled == b->cancelled && near(a->begin, b->begin) && near(a->end, b->end);
}

bool window_equal(const struct window *a, const struct window *b)
{
    return window_same(a, b) && strcmp(a->reason, b->reason) == 0;
}

struct walltime window_from(const struct window *window)
{
    return walltime_known(window->held_from) ? window->held_from : window->begin;
}

struct walltime window_until(const struct window *window)
{
    return walltime_known(window->held_until) ? window->held_until : window->end;
}

void window_step(struct window *window, struct span step)
{
    struct walltime from = walltime_add(window_from(window), step);
    struct walltime until = walltime_add(window_until(window), step);
    if (window_void(window) || window->stage == STAGE_ANNOUNCED) {
        return;
    }
    bool under_way = window->stage == STAGE_BEGUN;
    window->held_from = under_way ? walltime_earlier(from, window->begin) : from;
    window->held_until = under_way ? walltime_later(until, window->end) : until;
}

const char *window_unsound(const struct window *window, struct walltime now)
{
    if (window_void(window) && !window->cancelled) {
        return "it ends before it begins";
    }
    if (walltime_since(window->end, window->begin).ns > WINDOW_LENGTH_MAXIMUM.ns) {
        return "it is longer than 366 days";
    }
    if (walltime_since(window->begin, now).ns > WINDOW_AHEAD_MAXIMUM.ns) {
        return "it begins in more than 400 days";
    }
    return NULL;
}

enum window_state window_state_at(const struct window *window, struct walltime now,
                                  struct span recovery)
{
    if (window_void(window)) {
        return WINDOW_OVER;
    }
    return now.ns < window_from(window).ns                            ? WINDOW_ANNOUNCED
           : now.ns < window_until(window).ns                         ? WINDOW_ACTIVE
           : now.ns < walltime_add(window_until(window), recovery).ns ? WINDOW_RECOVERING
                                                                      : WINDOW_OVER;
}

enum window_stage window_stage_at(const struct window *window, struct walltime now,
                                  struct span settle)
{
    if (window_void(window)) {
        return STAGE_SETTLED;
    }
    return now.ns < window_from(window).ns                          ? STAGE_ANNOUNCED
           : now.ns < window_until(window).ns                       ? STAGE_BEGUN
           : now.ns < walltime_add(window_until(window), settle).ns ? STAGE_ENDED
                                                                    : STAGE_SETTLED;
}

bool window_suppresses(const struct window *window, struct walltime now, struct span settle)
{
    return !window_void(window) && now.ns >= window_from(window).ns &&
           now.ns < walltime_add(window_until(window), settle).ns;
}

void windows_free(struct windows *windows)
{
    free(windows->items);
    *windows = (struct windows){0};
}

struct window *windows_find(const struct windows *windows, const char *id)
{
    for (size_t i = 0; i < windows->count; i++) {
        if (strcmp(windows->items[i].id, id) == 0) {
            return &windows->items[i];
        }
    }
    return NULL;
}

// Of two announcers of one revision: the window's own server, else the greater name.
static bool goes_before(const struct window *window, const struct window *known)
{
    const char *ours = window_announcer(window), *theirs = window_announcer(known);
    bool own = strcmp(ours, window->server) == 0, other_own = strcmp(theirs, known->server) == 0;
    return own != other_own ? own : strcmp(ours, theirs) > 0;
}

enum window_standing windows_standing(const struct windows *windows, const struct window *window)
{
    const struct window *known = windows_find(windows, window->id);
    if (known == NULL) {
        return WINDOW_NEW;
    }
    if (known->revision != window->revision) {
        return known->revision < window->revision ? WINDOW_NEWER : WINDOW_STALE;
    }
    // An announcer says the same thing of one revision always, whatever its clock has done since.
    if (strcmp(window_announcer(known), window_announcer(window)) == 0 ||
        window_same(known, window)) {
        return WINDOW_SAME;
    }
    return goes_before(window, known) ? WINDOW_NEWER : WINDOW_OVERRULED;
}

struct window *windows_put(struct windows *windows, const struct window *window)
{
    struct window *known = windows_find(windows, window->id);
    enum window_standing standing = windows_standing(windows, window);
    if (known == NULL) {
        if (windows->count == WINDOWS_MAXIMUM) {
            return NULL;
        }
        size_t size = (windows->count + 1) * sizeof *windows->items;
        windows->items = memory_checked(realloc(windows->items, size));
        known = &windows->items[windows->count++];
        *known = (struct window){0};
    } else if (standing != WINDOW_NEWER) {
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
            (longest == NULL || window_until(window).ns > window_until(longest).ns)) {
            longest = window;
        }
    }
    return longest;
}

void windows_forget_over(struct windows *windows, struct walltime now, struct span recovery)
{
    size_t oldest = windows->count;
    for (size_t i = 0; i < windows->count; i++) {
        if (window_state_at(&windows->items[i], now, recovery) == WINDOW_OVER &&
            (oldest == windows->count ||
             windows->items[i].end.ns < windows->items[oldest].end.ns)) {
            oldest = i;
        }
    }
    if (oldest < windows->count) {
        windows->count--;
        memmove(&windows->items[oldest], &windows->items[oldest + 1],
                (windows->count - oldest) * sizeof *windows->items);
    }
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
