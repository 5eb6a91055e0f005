#include "ctl/invitation.h"

#include <stdio.h>
#include <string.h>

#include "ctl/mesh_token.h"
#include "ctl/paragraph.h"

static void add(struct mesh_token *token, const char *name, const char *address, const char *agent)
{
    if (token->server_count < MESH_TOKEN_SERVERS_MAXIMUM) {
        struct mesh_server *server = &token->servers[token->server_count++];
        text_copy(server->name, sizeof server->name, name);
        text_copy(server->address, sizeof server->address, address);
        text_copy(server->agent, sizeof server->agent, agent);
    }
}

// Peers without an agent are our own affair.
size_t invitation_compose(const struct settings *settings, bool invite, struct text *out)
{
    struct mesh_token token = {.key = settings->mesh_keys.keys[0]};
    size_t servers = 1;
    add(&token, settings->server, settings->address, settings->http.url);
    for (size_t i = 0; i < settings->peer_count; i++) {
        const struct peer_settings *peer = &settings->peers[i];
        if (peer->collect[0] == '\0') {
            servers++;
            add(&token, peer->name, peer->address, peer->agent);
        }
    }
    size_t told = mesh_token_encode(&token, invite, out);
    explicit_bzero(&token.key, sizeof token.key);
    return servers - told;
}

static void print_line(const struct settings *settings, bool invite)
{
    char line[MESH_TOKEN_SIZE];
    struct text token = TEXT_OVER(line);
    size_t left_out = invitation_compose(settings, invite, &token);
    printf("\n    mailflowctl join %s\n\n", line);
    if (left_out > 0) {
        paragraph_say(
            "It has no room for %zu of the peers: add those to the configuration by hand.",
            left_out);
    }
    explicit_bzero(line, sizeof line);
}

void invitation_print(const struct settings *settings)
{
    paragraph_say("To take the next server into the mesh, run this there, as root:");
    print_line(settings, true);
    paragraph_say("The line carries the mesh key: treat it like a password. `mailflowctl join` "
                  "alone asks for the token, which then stands in no list of commands. "
                  "`mailflowctl invite` prints the line again.");
}

void introduction_print(const struct settings *settings)
{
    paragraph_say("For the servers that are in the mesh already to know of %s, run this on each of "
                  "them, as root:",
                  settings->server);
    print_line(settings, false);
    puts("This line carries no secret.");
}
