#include "simulation/statement.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulation/mail.h"
#include "simulation/node.h"
#include "simulation/script.h"

// The words after the first one.
struct words {
    char *of[SCRIPT_WORDS_MAXIMUM + SERVERS_MAXIMUM];
    int count;
};

static bool find_server(const struct world *world, const char *name, int *server,
                        struct error *error)
{
    *server = world_find_server(world, name);
    return *server >= 0 || error_set(error, "no server is called '%s'", name);
}

// A duration with a sign in front.
static bool parse_offset(const char *word, struct span *offset, struct error *error)
{
    bool minus = *word == '-';
    if (!span_parse(word + (*word == '-' || *word == '+'), offset)) {
        return error_set(error, "'%s' is no offset", word);
    }
    offset->ns = minus ? -offset->ns : offset->ns;
    return true;
}

static bool parse_span(const char *word, struct span *span, struct error *error)
{
    return span_parse(word, span) || error_set(error, "'%s' is no duration", word);
}

// ---- paths ----

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
    return (strcmp(pattern->from, "*") == 0 || find_server(world, pattern->from, &server, error)) &&
           (strcmp(pattern->to, "*") == 0 || find_server(world, pattern->to, &server, error));
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

// Does one thing to every link that a path means.
static bool each_link(struct world *world, const struct words *words, struct error *error,
                      bool (*visit)(struct world *world, int from, int to,
                                    const struct words *words, struct error *error))
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
    if (!parse_span(words->of[1], &link->delay_least, error)) {
        return false;
    }
    link->delay_most = link->delay_least;
    return words->count < 4 || parse_span(words->of[3], &link->delay_most, error);
}

static bool visit_replay(struct world *world, int from, int to, const struct words *words,
                         struct error *error)
{
    (void)words;
    return mail_replay(world, from, to) || error_set(error, "nothing to replay");
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
    if (peer < 0) {
        return error_set(error, "nobody there to send it");
    }
    struct event event = {.kind = EVENT_BY_HAND, .by_hand = {.peer = peer}};
    uint64_t halves[2] = {random_stream_next(&world->random), random_stream_next(&world->random)};
    memcpy(event.by_hand.id.bytes, halves, sizeof event.by_hand.id.bytes);
    node_handle(world, from, &event, NULL);
    return true;
}

#define PATH_STATEMENT(name)                                                                       \
    static bool say_##name(struct world *world, const struct words *words, struct error *error)    \
    {                                                                                              \
        return each_link(world, words, error, visit_##name);                                       \
    }
PATH_STATEMENT(cut)
PATH_STATEMENT(mend)
PATH_STATEMENT(delay)
PATH_STATEMENT(replay)
PATH_STATEMENT(lose)
PATH_STATEMENT(duplicate)
PATH_STATEMENT(defer)
PATH_STATEMENT(refuse)
PATH_STATEMENT(uncertain)
PATH_STATEMENT(probe)

// ---- who is there ----

static bool add_server(struct world *world, const char *name, struct error *error)
{
    if (world->server_count == SERVERS_MAXIMUM) {
        return error_set(error, "more than %d servers", SERVERS_MAXIMUM);
    }
    if (!server_name_valid(name) || world_find_server(world, name) >= 0) {
        return error_set(error, "'%s' is no name for another server", name);
    }
    struct server *server = &world->servers[world->server_count++];
    *server = (struct server){.smtp = true, .imap = true, .boot_offset = SPAN_HOURS(1)};
    text_copy(server->name, sizeof server->name, name);
    return true;
}

static bool say_servers(struct world *world, const struct words *words, struct error *error)
{
    bool good = true;
    for (int i = 0; good && i < words->count; i++) {
        good = add_server(world, words->of[i], error);
    }
    return good;
}

static bool say_agentless(struct world *world, const struct words *words, struct error *error)
{
    int collector;
    if (!find_server(world, words->of[3], &collector, error) ||
        !add_server(world, words->of[0], error)) {
        return false;
    }
    struct server *server = &world->servers[world->server_count - 1];
    server->agentless = true;
    server->collector = collector;
    return true;
}

static bool say_hub(struct world *world, const struct words *words, struct error *error)
{
    return find_server(world, words->of[0], &world->hub, error);
}

static bool say_seed(struct world *world, const struct words *words, struct error *error)
{
    (void)error;
    world->seed = strtoull(words->of[0], NULL, 10);
    return true;
}

static bool say_run(struct world *world, const struct words *words, struct error *error)
{
    struct span length;
    bool good = parse_span(words->of[0], &length, error);
    world->end.ns = good ? length.ns : 0;
    return good;
}

// ---- numbers and configurations ----

static bool say_set(struct world *world, const struct words *words, struct error *error)
{
    if (!parameters_set(&world->parameters, words->of[0], words->of[1], error)) {
        return false;
    }
    for (int i = 0; world->began && i < world->server_count; i++) {
        node_configure(world, i);
    }
    return true;
}

static bool say_interval(struct world *world, const struct words *words, struct error *error)
{
    int server;
    if (!find_server(world, words->of[0], &server, error) ||
        !parse_span(words->of[1], &world->servers[server].node.interval, error)) {
        return false;
    }
    if (world->began) {
        node_configure(world, server);
    }
    return true;
}

static bool change_peer(struct world *world, const struct words *words, bool forget,
                        struct error *error)
{
    int server, peer;
    if (!find_server(world, words->of[0], &server, error) ||
        !find_server(world, words->of[1], &peer, error)) {
        return false;
    }
    world->servers[server].node.forgets[peer] = forget;
    if (world->began) {
        node_configure(world, server);
    }
    return true;
}

static bool say_forget(struct world *world, const struct words *words, struct error *error)
{
    return change_peer(world, words, true, error);
}

static bool say_know(struct world *world, const struct words *words, struct error *error)
{
    return change_peer(world, words, false, error);
}

// ---- hosts and agents ----

static void change_smtp(struct world *world, int server, bool up)
{
    world->servers[server].smtp = up;
    if (up) {
        mail_run_queue(world, server);
    }
}

static bool say_stop(struct world *world, const struct words *words, struct error *error)
{
    int server;
    if (!find_server(world, words->of[0], &server, error)) {
        return false;
    }
    change_smtp(world, server, false);
    world->servers[server].imap = false;
    node_stop(world, server);
    return true;
}

static bool say_start(struct world *world, const struct words *words, struct error *error)
{
    int server;
    if (!find_server(world, words->of[0], &server, error)) {
        return false;
    }
    struct server *host = &world->servers[server];
    host->boot_offset = (struct span){SPAN_SECONDS(20).ns - world->now.ns};
    host->imap = true;
    change_smtp(world, server, true);
    if (!host->agentless) {
        node_start(world, server);
    }
    return true;
}

static bool change_part(struct world *world, const struct words *words, bool up,
                        struct error *error)
{
    int server;
    if (!find_server(world, words->of[0], &server, error)) {
        return false;
    }
    if (strcmp(words->of[1], "smtp") == 0) {
        change_smtp(world, server, up);
    } else if (strcmp(words->of[1], "imap") == 0) {
        world->servers[server].imap = up;
    } else if (strcmp(words->of[1], "agent") == 0 && world->began) {
        (up ? node_start : node_stop)(world, server);
    } else if (strcmp(words->of[1], "agent") == 0) {
        world->servers[server].node.away = !up;
    } else {
        return error_set(error, "no part is called '%s'", words->of[1]);
    }
    return true;
}

static bool say_down(struct world *world, const struct words *words, struct error *error)
{
    return change_part(world, words, false, error);
}

static bool say_up(struct world *world, const struct words *words, struct error *error)
{
    return change_part(world, words, true, error);
}

static bool say_restart(struct world *world, const struct words *words, struct error *error)
{
    int server;
    bool good = find_server(world, words->of[0], &server, error);
    if (good) {
        node_restart(world, server);
    }
    return good;
}

static bool say_kill(struct world *world, const struct words *words, struct error *error)
{
    static const char *const PHASES[] = {"before-commit", "before-deeds", "amid-deeds"};
    int server;
    if (!find_server(world, words->of[0], &server, error)) {
        return false;
    }
    uint64_t phase = random_stream_next(&world->random) % 3;
    for (uint64_t i = 0; words->count > 1 && i < 3; i++) {
        phase = strcmp(words->of[1], PHASES[i]) == 0 ? i : phase;
    }
    world->servers[server].node.kill = (enum kill_phase)(phase + KILL_BEFORE_COMMIT);
    return true;
}

static bool say_freeze(struct world *world, const struct words *words, struct error *error)
{
    int server;
    struct span length;
    if (!find_server(world, words->of[0], &server, error) ||
        !parse_span(words->of[1], &length, error)) {
        return false;
    }
    world->servers[server].node.wakes = instant_add(world->now, length);
    return true;
}

static bool say_flush(struct world *world, const struct words *words, struct error *error)
{
    int server;
    bool good = find_server(world, words->of[0], &server, error);
    if (good) {
        mail_flush(world, server);
    }
    return good;
}

static bool say_step(struct world *world, const struct words *words, struct error *error)
{
    int server;
    struct span offset;
    bool good = find_server(world, words->of[0], &server, error) &&
                parse_offset(words->of[1], &offset, error);
    if (good) {
        world->servers[server].wall_offset = span_add(world->servers[server].wall_offset, offset);
    }
    return good;
}

// ---- maintenance ----

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
            if (!parse_span(next, *word == 'f' ? &length : &wait, error)) {
                return false;
            }
            i++;
        } else if (strcmp(word, "emergency") == 0) {
            of->window.kind = WINDOW_EMERGENCY;
        } else if (strcmp(word, "on") == 0) {
            of->agents = 0;
        } else if (find_server(world, word, &agent, error)) {
            of->agents |= (uint64_t)1 << agent;
        } else {
            return false;
        }
    }
    of->begin = instant_add(world->now, wait);
    of->end = instant_add(of->begin, length);
    return true;
}

static bool say_maintenance(struct world *world, const struct words *words, struct error *error)
{
    struct script *script = world->script;
    int server;
    if (!find_server(world, words->of[1], &server, error) ||
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

static bool say_extend(struct world *world, const struct words *words, struct error *error)
{
    struct script_window *of = find_window(world, words->of[0]);
    struct span more;
    if (of == NULL || !parse_span(words->of[1], &more, error)) {
        return of != NULL || error_set(error, "no window is called '%s'", words->of[0]);
    }
    of->end = instant_add(of->end, more);
    tell_window(world, of);
    return true;
}

static bool say_end(struct world *world, const struct words *words, struct error *error)
{
    struct script_window *of = find_window(world, words->of[0]);
    if (of == NULL) {
        return error_set(error, "no window is called '%s'", words->of[0]);
    }
    of->end = world->now;
    tell_window(world, of);
    return true;
}

static bool say_cancel(struct world *world, const struct words *words, struct error *error)
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

// ---- the table ----

static const struct statement {
    const char *name;
    int words; // at least so many after the name
    bool (*run)(struct world *world, const struct words *words, struct error *error);
} STATEMENTS[] = {
    {"servers", 1, say_servers},
    {"agentless", 4, say_agentless},
    {"hub", 1, say_hub},
    {"seed", 1, say_seed},
    {"run", 1, say_run},
    {"set", 2, say_set},
    {"interval", 2, say_interval},
    {"delay", 2, say_delay},
    {"clock", 2, say_step},
    {"step", 2, say_step},
    {"stop", 1, say_stop},
    {"start", 1, say_start},
    {"down", 2, say_down},
    {"up", 2, say_up},
    {"restart", 1, say_restart},
    {"kill", 1, say_kill},
    {"freeze", 2, say_freeze},
    {"flush", 1, say_flush},
    {"cut", 1, say_cut},
    {"mend", 1, say_mend},
    {"lose", 2, say_lose},
    {"duplicate", 2, say_duplicate},
    {"defer", 2, say_defer},
    {"refuse", 2, say_refuse},
    {"uncertain", 3, say_uncertain},
    {"replay", 1, say_replay},
    {"probe", 1, say_probe},
    {"maintenance", 4, say_maintenance},
    {"extend", 2, say_extend},
    {"end", 1, say_end},
    {"cancel", 1, say_cancel},
    {"forget", 2, say_forget},
    {"know", 2, say_know},
};

bool statement_run(struct world *world, const char *text, struct error *error)
{
    char line[256];
    struct words words = {0};
    char *rest = NULL;
    text_copy(line, sizeof line, text);
    const char *name = strtok_r(line, " \t", &rest);
    for (char *word; (word = strtok_r(NULL, " \t", &rest)) != NULL;) {
        words.of[words.count++] = word;
    }
    for (size_t i = 0; name != NULL && i < sizeof STATEMENTS / sizeof STATEMENTS[0]; i++) {
        if (strcmp(name, STATEMENTS[i].name) == 0) {
            return words.count < STATEMENTS[i].words
                       ? error_set(error, "'%s' wants %d words after it", name, STATEMENTS[i].words)
                       : STATEMENTS[i].run(world, &words, error);
        }
    }
    return error_set(error, "no statement begins with '%s'", name == NULL ? "" : name);
}
