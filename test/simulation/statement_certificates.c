#include <string.h>

#include "simulation/node.h"
#include "simulation/statement_words.h"

// Whoever reads there has lost the connection and makes another.
static void reconnect(struct world *world, int server)
{
    for (int i = 0; i < world->server_count; i++) {
        struct node *node = &world->servers[i].node;
        for (size_t k = 0; k < node->reader_count; k++) {
            node->readers[k].told = node->readers[k].told && node->readers[k].server != server;
        }
    }
}

bool say_certificate(struct world *world, const struct words *words, struct error *error)
{
    int server;
    struct span left = SPAN_ZERO;
    bool smtp = strcmp(words->of[1], "smtp") == 0, refused = strcmp(words->of[2], "refused") == 0;
    if (!words_find_server(world, words->of[0], &server, error)) {
        return false;
    }
    if (!smtp && strcmp(words->of[1], "imap") != 0) {
        return error_set(error, "no TLS is spoken at '%s'", words->of[1]);
    }
    if (!refused && (words->count < 4 || !words_parse_span(words->of[3], &left, error))) {
        return error_set(error, "a certificate 'expires DURATION' or is 'refused'");
    }
    struct shown *shown = &world->servers[server].shown[smtp ? PART_SMTP : PART_IMAP];
    bool changes = !shown->tls;
    shown->tls = true;
    shown->refused = refused;
    if (!refused) {
        shown->expires = walltime_add(world_moment(world, server).wall, left);
    }
    for (int i = 0; world->began && changes && i < world->server_count; i++) {
        node_configure(world, i);
    }
    if (!smtp) {
        reconnect(world, server);
    }
    return true;
}
