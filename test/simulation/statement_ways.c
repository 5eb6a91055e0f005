#include "simulation/statement_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

static struct marks *marks_of(struct world *world, int from, int to)
{
    struct link *link = &world->links[from][to];
    if (link->marks == NULL) {
        link->marks = memory_checked(calloc(1, sizeof *link->marks));
    }
    return link->marks;
}

static bool visit_route(struct world *world, int from, int to, const struct words *words,
                        struct error *error)
{
    struct marks *marks = marks_of(world, from, to);
    struct text text = {0};
    marks->route_count = 0;
    for (int i = 1; i < words->count; i++) {
        bool begins = i == 1 || strcmp(words->of[i], "/") == 0;
        if (begins && marks->route_count == ROUTES_MAXIMUM) {
            return error_set(error, "more than %d routes", ROUTES_MAXIMUM);
        }
        if (begins) {
            text = text_over(marks->routes[marks->route_count++], ROUTE_TEXT_SIZE);
        }
        if (strcmp(words->of[i], "/") != 0) {
            text_append(&text, text.length == 0 ? "" : " ");
            text_append(&text, words->of[i]);
        }
        if (text.truncated) {
            return error_set(error, "the route is too long");
        }
    }
    return true;
}

// One of its hosts has a clock that is off.
static bool visit_skew(struct world *world, int from, int to, const struct words *words,
                       struct error *error)
{
    struct marks *marks = marks_of(world, from, to);
    bool behind = words->of[2][0] == '-';
    if (!words_parse_span(words->of[2] + behind, &marks->skew, error)) {
        return false;
    }
    marks->skew.ns = behind ? -marks->skew.ns : marks->skew.ns;
    return text_copy(marks->skewed, sizeof marks->skewed, words->of[1]) ||
           error_set(error, "the name is too long");
}

static bool visit_auth(struct world *world, int from, int to, const struct words *words,
                       struct error *error)
{
    enum auth_method method;
    enum auth_result result = AUTH_ABSENT;
    if (!auth_method_parse(words->of[1], &method) ||
        (strcmp(words->of[2], "absent") != 0 && !auth_result_parse(words->of[2], &result))) {
        return error_set(error, "'%s %s' is no method and result", words->of[1], words->of[2]);
    }
    marks_of(world, from, to)->results[method] = result;
    return true;
}

static bool visit_folder(struct world *world, int from, int to, const struct words *words,
                         struct error *error)
{
    struct marks *marks = marks_of(world, from, to);
    return text_copy(marks->folder, sizeof marks->folder, words->of[1]) ||
           error_set(error, "the name is too long");
}

bool say_route(struct world *world, const struct words *words, struct error *error)
{
    return words_each_link(world, words, error, visit_route);
}

bool say_skew(struct world *world, const struct words *words, struct error *error)
{
    return words_each_link(world, words, error, visit_skew);
}

bool say_auth(struct world *world, const struct words *words, struct error *error)
{
    return words_each_link(world, words, error, visit_auth);
}

bool say_folder(struct world *world, const struct words *words, struct error *error)
{
    return words_each_link(world, words, error, visit_folder);
}
