#include "simulation/statement_words.h"

#include <string.h>

#include "simulation/journal.h"
#include "simulation/node.h"
#include "simulation/script.h"

static struct script_window *find_window(struct world *world, const char *id)
{
    for (size_t i = 0; i < world->script->window_count; i++) {
        if (strcmp(world->script->windows[i].window.id, id) == 0) {
            return &world->script->windows[i];
        }
    }
    return NULL;
}

// An operator at every agent that is told, in the clock of its host; he changes what it knows.
static void tell_window(struct world *world, const struct script_window *of)
{
    for (int i = 0; i < world->server_count; i++) {
        struct node *node = &world->servers[i].node;
        if (node->core == NULL || world_asleep(world, i) || (of->agents >> i & 1) == 0) {
            continue;
        }
        struct event event = {.kind = EVENT_WINDOW, .window = of->window};
        const struct window *known = windows_find(core_windows(node->core), of->window.id);
        int64_t epoch = WORLD_EPOCH.ns + world->servers[i].wall_offset.ns;
        event.window.revision = known == NULL ? 1 : known->revision + 1;
        event.window.begin = (struct walltime){of->begin.ns + epoch};
        event.window.end = (struct walltime){of->end.ns + epoch};
        struct text by = TEXT_OVER(event.window.by);
        text_format(&by, "operator@%s", world->servers[i].name);
        node_handle(world, i, &event, NULL);
    }
}

// [on NAME...] from this word on: who is told.
static bool parse_agents(struct world *world, const struct words *words, int first,
                         struct script_window *of, struct error *error)
{
    if (first < words->count && strcmp(words->of[first], "on") != 0) {
        return error_set(error, "'%s' is not 'on'", words->of[first]);
    }
    for (int i = first + 1; i < words->count; i++) {
        int agent;
        if (!words_find_server(world, words->of[i], &agent, error)) {
            return false;
        }
        of->agents = (i == first + 1 ? 0 : of->agents) | (uint64_t)1 << agent;
    }
    return true;
}

static bool parse_window(struct world *world, const struct words *words, struct script_window *of,
                         struct error *error)
{
    struct span length = SPAN_ZERO, wait = SPAN_ZERO;
    bool good = true;
    for (int i = 2; i < words->count; i++) {
        const char *word = words->of[i], *next = i + 1 < words->count ? words->of[i + 1] : "";
        if (strcmp(word, "for") == 0 || strcmp(word, "in") == 0) {
            if (!words_parse_span(next, *word == 'f' ? &length : &wait, error)) {
                return false;
            }
            i++;
        } else if (strcmp(word, "emergency") == 0) {
            of->window.kind = WINDOW_EMERGENCY;
        } else {
            good = parse_agents(world, words, i, of, error);
            break;
        }
    }
    of->begin = instant_add(world->now, wait);
    of->end = instant_add(of->begin, length);
    return good;
}

bool say_maintenance(struct world *world, const struct words *words, struct error *error)
{
    struct script *script = world->script;
    int server;
    if (!words_find_server(world, words->of[1], &server, error) ||
        script->window_count == sizeof script->windows / sizeof script->windows[0]) {
        return false;
    }
    struct script_window of = {.agents = UINT64_MAX};
    if (!parse_window(world, words, &of, error)) {
        return false;
    }
    text_copy(of.window.id, sizeof of.window.id, words->of[0]);
    text_copy(of.window.server, sizeof of.window.server, words->of[1]);
    script->windows[script->window_count] = of;
    tell_window(world, &script->windows[script->window_count++]);
    return true;
}

bool say_extend(struct world *world, const struct words *words, struct error *error)
{
    struct script_window *of = find_window(world, words->of[0]);
    struct span more;
    if (of == NULL || !words_parse_span(words->of[1], &more, error) ||
        !parse_agents(world, words, 2, of, error)) {
        return of != NULL || error_set(error, "no window is called '%s'", words->of[0]);
    }
    of->end = instant_add(of->end, more);
    tell_window(world, of);
    return true;
}

bool say_end(struct world *world, const struct words *words, struct error *error)
{
    struct script_window *of = find_window(world, words->of[0]);
    if (of == NULL) {
        return error_set(error, "no window is called '%s'", words->of[0]);
    }
    if (!parse_agents(world, words, 1, of, error)) {
        return false;
    }
    of->end = world->now;
    tell_window(world, of);
    return true;
}

bool say_cancel(struct world *world, const struct words *words, struct error *error)
{
    struct script_window *of = find_window(world, words->of[0]);
    if (of == NULL) {
        return error_set(error, "no window is called '%s'", words->of[0]);
    }
    if (!parse_agents(world, words, 1, of, error)) {
        return false;
    }
    of->end = of->begin;
    of->window.cancelled = true;
    tell_window(world, of);
    return true;
}

bool say_acknowledged(struct world *world, const struct words *words, struct error *error)
{
    int server;
    if (!words_find_server(world, words->of[1], &server, error)) {
        return false;
    }
    const struct node *node = &world->servers[server].node;
    const struct window *window =
        node->core == NULL ? NULL : windows_find(core_windows(node->core), words->of[0]);
    if (window == NULL) {
        return error_set(error, "%s knows no window %s", words->of[1], words->of[0]);
    }
    journal_acknowledgements(world, server, window);
    return true;
}
