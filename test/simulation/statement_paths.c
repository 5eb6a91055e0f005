#include "simulation/statement_words.h"

#include <stdlib.h>
#include <string.h>

#include "simulation/mail.h"
#include "simulation/node.h"

struct path_pattern {
    char from[SERVER_NAME_SIZE];
    char to[SERVER_NAME_SIZE];
    bool both;
};

static bool parse_path(const struct world *world, const char *word, struct path_pattern *pattern,
                       struct error *error)
{
    const char *arrow = strstr(word, "->");
    *pattern = (struct path_pattern){0};
    if (arrow == NULL || arrow == word) {
        return error_set(error, "'%s' is no path", word);
    }
    pattern->both = arrow[-1] == '<';
    snprintf(pattern->from, sizeof pattern->from, "%.*s", (int)(arrow - word - pattern->both),
             word);
    snprintf(pattern->to, sizeof pattern->to, "%s", arrow + 2);
    int server;
    return (strcmp(pattern->from, "*") == 0 ||
            words_find_server(world, pattern->from, &server, error)) &&
           (strcmp(pattern->to, "*") == 0 || words_find_server(world, pattern->to, &server, error));
}

static bool matches(const char *pattern, const char *name)
{
    return strcmp(pattern, "*") == 0 || strcmp(pattern, name) == 0;
}

static bool on_path(const struct world *world, const struct path_pattern *pattern, int from, int to)
{
    const char *names[] = {world->servers[from].name, world->servers[to].name};
    return from != to &&
           ((matches(pattern->from, names[0]) && matches(pattern->to, names[1])) ||
            (pattern->both && matches(pattern->from, names[1]) && matches(pattern->to, names[0])));
}

bool words_each_link(struct world *world, const struct words *words, struct error *error,
                     bool (*visit)(struct world *world, int from, int to, const struct words *words,
                                   struct error *error))
{
    struct path_pattern pattern;
    if (!parse_path(world, words->of[0], &pattern, error)) {
        return false;
    }
    for (int from = 0; from < world->server_count; from++) {
        for (int to = 0; to < world->server_count; to++) {
            if (on_path(world, &pattern, from, to) && !visit(world, from, to, words, error)) {
                return false;
            }
        }
    }
    return true;
}

static bool visit_cut(struct world *world, int from, int to, const struct words *words,
                      struct error *error)
{
    (void)words, (void)error;
    world->links[from][to].cut = true;
    return true;
}

static bool visit_mend(struct world *world, int from, int to, const struct words *words,
                       struct error *error)
{
    (void)words, (void)error;
    world->links[from][to].cut = false;
    return true;
}

static bool visit_delay(struct world *world, int from, int to, const struct words *words,
                        struct error *error)
{
    struct link *link = &world->links[from][to];
    if (!words_parse_span(words->of[1], &link->delay_least, error)) {
        return false;
    }
    link->delay_most = link->delay_least;
    return words->count < 4 || words_parse_span(words->of[3], &link->delay_most, error);
}

static bool visit_replay(struct world *world, int from, int to, const struct words *words,
                         struct error *error)
{
    (void)words;
    (void)error;
    mail_replay(world, from, to);
    return true;
}

static unsigned count_of(const struct words *words)
{
    return (unsigned)strtoul(words->of[1], NULL, 10);
}

static bool visit_lose(struct world *world, int from, int to, const struct words *words,
                       struct error *error)
{
    (void)error;
    world->links[from][to].lose = count_of(words);
    return true;
}

static bool visit_duplicate(struct world *world, int from, int to, const struct words *words,
                            struct error *error)
{
    (void)error;
    world->links[from][to].duplicate = count_of(words);
    return true;
}

static bool visit_defer(struct world *world, int from, int to, const struct words *words,
                        struct error *error)
{
    (void)error;
    world->links[from][to].defer = count_of(words);
    return true;
}

static bool visit_refuse(struct world *world, int from, int to, const struct words *words,
                         struct error *error)
{
    (void)error;
    world->links[from][to].refuse = count_of(words);
    return true;
}

static bool visit_bounce(struct world *world, int from, int to, const struct words *words,
                         struct error *error)
{
    struct link *link = &world->links[from][to];
    bool delivered = words->count > 2 && strcmp(words->of[2], "delivered") == 0;
    bool full = words->count > 2 && strcmp(words->of[2], "full") == 0;
    if (words->count > 2 && !delivered && !full) {
        return error_set(error, "it may be delivered, or full, not '%s'", words->of[2]);
    }
    *(delivered ? &link->bounce_delivered
      : full    ? &link->bounce_full
                : &link->bounce) = count_of(words);
    return true;
}

static bool visit_uncertain(struct world *world, int from, int to, const struct words *words,
                            struct error *error)
{
    struct link *link = &world->links[from][to];
    bool arrives = strcmp(words->of[2], "arrives") == 0;
    if (!arrives && strcmp(words->of[2], "vanishes") != 0) {
        return error_set(error, "it arrives or vanishes, not '%s'", words->of[2]);
    }
    *(arrives ? &link->uncertain_arrives : &link->uncertain_vanishes) = count_of(words);
    return true;
}

static bool visit_probe(struct world *world, int from, int to, const struct words *words,
                        struct error *error)
{
    (void)words;
    struct node *node = &world->servers[from].node;
    int peer =
        node->core == NULL ? -1 : settings_find_peer(node->settings, world->servers[to].name);
    if (node->core == NULL || world_asleep(world, from)) {
        return true; // nobody is there to be asked
    }
    if (peer < 0) {
        return error_set(error, "it has no such peer");
    }
    struct event event = {.kind = EVENT_BY_HAND, .by_hand = {.peer = peer}};
    uint64_t halves[2] = {random_stream_next(&world->random), random_stream_next(&world->random)};
    memcpy(event.by_hand.id.bytes, halves, sizeof event.by_hand.id.bytes);
    node_handle(world, from, &event, NULL);
    return true;
}

static bool visit_agent(struct world *world, int from, int to, const struct words *words,
                        struct error *error)
{
    (void)words;
    (void)error;
    world->links[from][to].agent = true;
    return true;
}

static bool visit_sever(struct world *world, int from, int to, const struct words *words,
                        struct error *error)
{
    (void)words;
    (void)error;
    world->links[from][to].severed = true;
    return true;
}

static bool visit_rejoin(struct world *world, int from, int to, const struct words *words,
                         struct error *error)
{
    (void)words;
    (void)error;
    world->links[from][to].severed = false;
    return true;
}

#define PATH_STATEMENT(name)                                                                       \
    bool say_##name(struct world *world, const struct words *words, struct error *error)           \
    {                                                                                              \
        return words_each_link(world, words, error, visit_##name);                                 \
    }
PATH_STATEMENT(cut)
PATH_STATEMENT(mend)
PATH_STATEMENT(agent)
PATH_STATEMENT(sever)
PATH_STATEMENT(rejoin)
PATH_STATEMENT(delay)
PATH_STATEMENT(replay)
PATH_STATEMENT(lose)
PATH_STATEMENT(duplicate)
PATH_STATEMENT(defer)
PATH_STATEMENT(refuse)
PATH_STATEMENT(bounce)
PATH_STATEMENT(uncertain)
PATH_STATEMENT(probe)
