#include "simulation/statement_words.h"

#include <string.h>

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

// An operator at every agent that is told, in the clock of its host.
static void tell_window(struct world *world, struct script_window *of)
{
    of->window.revision++;
    for (int i = 0; i < world->server_count; i++) {
        struct node *node = &world->servers[i].node;
        if (node->core == NULL || world_asleep(world, i) || (of->agents >> i & 1) == 0) {
            continue;
        }
        struct event event = {.kind = EVENT_WINDOW, .window = of->window};
        int64_t epoch = WORLD_EPOCH.ns + world->servers[i].wall_offset.ns;
        event.window.begin = (struct walltime){of->begin.ns + epoch};
        event.window.end = (struct walltime){of->end.ns + epoch};
        node_handle(world, i, &event, NULL);
    }
}

static bool parse_window(struct world *world, const struct words *words, struct script_window *of,
                         struct error *error)
{
    struct span length = SPAN_ZERO, wait = SPAN_ZERO;
    for (int i = 2; i < words->count; i++) {
        const char *word = words->of[i], *next = i + 1 < words->count ? words->of[i + 1] : "";
        int agent;
        if (strcmp(word, "for") == 0 || strcmp(word, "in") == 0) {
            if (!words_parse_span(next, *word == 'f' ? &length : &wait, error)) {
                return false;
            }
            i++;
        } else if (strcmp(word, "emergency") == 0) {
            of->window.kind = WINDOW_EMERGENCY;
        } else if (strcmp(word, "on") == 0) {
            of->agents = 0;
        } else if (words_find_server(world, word, &agent, error)) {
            of->agents |= (uint64_t)1 << agent;
        } else {
            return false;
        }
    }
    of->begin = instant_add(world->now, wait);
    of->end = instant_add(of->begin, length);
    return true;
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
    text_copy(of.window.by, sizeof of.window.by, "operator");
    script->windows[script->window_count] = of;
    tell_window(world, &script->windows[script->window_count++]);
    return true;
}

bool say_extend(struct world *world, const struct words *words, struct error *error)
{
    struct script_window *of = find_window(world, words->of[0]);
    struct span more;
    if (of == NULL || !words_parse_span(words->of[1], &more, error)) {
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
    of->end = of->begin;
    of->window.cancelled = true;
    tell_window(world, of);
    return true;
}
