#include "simulation/statement.h"

#include <stdlib.h>
#include <string.h>

#include "simulation/mail.h"
#include "simulation/node.h"
#include "simulation/statement_words.h"

bool words_find_server(const struct world *world, const char *name, int *server,
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

bool words_parse_span(const char *word, struct span *span, struct error *error)
{
    return span_parse(word, span) || error_set(error, "'%s' is no duration", word);
}

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
    if (!words_find_server(world, words->of[3], &collector, error) ||
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
    return words_find_server(world, words->of[0], &world->hub, error);
}

static bool say_show(struct world *world, const struct words *words, struct error *error)
{
    return words_find_server(world, words->of[0], &world->shown, error);
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
    bool good = words_parse_span(words->of[0], &length, error);
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
    if (!words_find_server(world, words->of[0], &server, error) ||
        !words_parse_span(words->of[1], &world->servers[server].node.interval, error)) {
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
    if (!words_find_server(world, words->of[0], &server, error) ||
        !words_find_server(world, words->of[1], &peer, error)) {
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

static void change_agent(struct world *world, int server, bool up)
{
    world->servers[server].node.away = !up;
    if (!up) {
        node_stop(world, server);
    } else if (world->began) {
        node_start(world, server);
    }
}

static bool say_stop(struct world *world, const struct words *words, struct error *error)
{
    int server;
    if (!words_find_server(world, words->of[0], &server, error)) {
        return false;
    }
    change_smtp(world, server, false);
    world->servers[server].imap = false;
    change_agent(world, server, false);
    return true;
}

static bool say_start(struct world *world, const struct words *words, struct error *error)
{
    int server;
    if (!words_find_server(world, words->of[0], &server, error)) {
        return false;
    }
    struct server *host = &world->servers[server];
    host->boot_offset = (struct span){SPAN_SECONDS(20).ns - world->now.ns};
    host->imap = true;
    change_smtp(world, server, true);
    if (!host->agentless) {
        change_agent(world, server, true);
    }
    return true;
}

static bool change_part(struct world *world, const struct words *words, bool up,
                        struct error *error)
{
    int server;
    if (!words_find_server(world, words->of[0], &server, error)) {
        return false;
    }
    if (strcmp(words->of[1], "smtp") == 0) {
        change_smtp(world, server, up);
    } else if (strcmp(words->of[1], "imap") == 0) {
        world->servers[server].imap = up;
    } else if (strcmp(words->of[1], "agent") == 0) {
        change_agent(world, server, up);
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
    bool good = words_find_server(world, words->of[0], &server, error);
    if (good) {
        node_restart(world, server);
    }
    return good;
}

static bool say_kill(struct world *world, const struct words *words, struct error *error)
{
    static const char *const PHASES[] = {"before-commit", "before-deeds", "amid-deeds"};
    int server;
    if (!words_find_server(world, words->of[0], &server, error)) {
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
    if (!words_find_server(world, words->of[0], &server, error) ||
        !words_parse_span(words->of[1], &length, error)) {
        return false;
    }
    world->servers[server].node.wakes = instant_add(world->now, length);
    return true;
}

static bool say_flush(struct world *world, const struct words *words, struct error *error)
{
    int server;
    bool good = words_find_server(world, words->of[0], &server, error);
    if (good) {
        mail_flush(world, server);
    }
    return good;
}

static bool say_step(struct world *world, const struct words *words, struct error *error)
{
    int server;
    struct span offset;
    bool good = words_find_server(world, words->of[0], &server, error) &&
                parse_offset(words->of[1], &offset, error);
    if (good) {
        world->servers[server].wall_offset = span_add(world->servers[server].wall_offset, offset);
    }
    return good;
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
    {"show", 1, say_show},
    {"seed", 1, say_seed},
    {"run", 1, say_run},
    {"set", 2, say_set},
    {"interval", 2, say_interval},
    {"agent", 1, say_agent},
    {"sever", 1, say_sever},
    {"rejoin", 1, say_rejoin},
    {"delay", 2, say_delay},
    {"clock", 2, say_step},
    {"step", 2, say_step},
    {"certificate", 3, say_certificate},
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
    {"bounce", 2, say_bounce},
    {"uncertain", 3, say_uncertain},
    {"replay", 1, say_replay},
    {"probe", 1, say_probe},
    {"route", 1, say_route},
    {"skew", 3, say_skew},
    {"auth", 3, say_auth},
    {"folder", 2, say_folder},
    {"maintenance", 4, say_maintenance},
    {"extend", 2, say_extend},
    {"end", 1, say_end},
    {"cancel", 1, say_cancel},
    {"acknowledged", 2, say_acknowledged},
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
    for (char *word;
         words.count < WORDS_MAXIMUM && (word = strtok_r(NULL, " \t", &rest)) != NULL;) {
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
