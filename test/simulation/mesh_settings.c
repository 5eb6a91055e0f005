#include "simulation/mesh_settings.h"

#include <stdlib.h>
#include <string.h>

static const char *const FOLDERS[] = {"INBOX", "Junk"};

static const struct mailbox_settings *build_mailboxes(const struct world *world,
                                                      const struct node *node,
                                                      struct settings *settings)
{
    struct mailbox_settings *mailboxes =
        arena_take(settings->arena, node->reader_count * sizeof *mailboxes);
    for (size_t i = 0; i < node->reader_count; i++) {
        int server = node->readers[i].server;
        mailboxes[i].authserv_id = "here";
        mailboxes[i].folders = FOLDERS;
        mailboxes[i].folder_count = sizeof FOLDERS / sizeof FOLDERS[0];
        mailboxes[i].name = i == 0 ? "local" : world->servers[server].name;
        mailboxes[i].tls = world->servers[server].shown[PART_IMAP].tls ? TLS_STARTTLS : TLS_NONE;
    }
    settings->mailbox_count = node->reader_count;
    return mailboxes;
}

static int compare_names(const void *a, const void *b, void *peers)
{
    const struct peer_settings *of = peers;
    return strcmp(of[*(const uint32_t *)a].name, of[*(const uint32_t *)b].name);
}

static void build_peers(const struct world *world, int node, struct settings *settings)
{
    struct arena *arena = settings->arena;
    struct peer_settings *peers = arena_take(arena, SERVERS_MAXIMUM * sizeof *peers);
    uint32_t *by_name = arena_take(arena, SERVERS_MAXIMUM * sizeof *by_name);
    uint32_t count = 0;
    for (int i = 0; i < world->server_count; i++) {
        const struct server *server = &world->servers[i];
        if (i == node || !world_are_peers(world, node, i) || world->servers[node].node.forgets[i]) {
            continue;
        }
        by_name[count] = count;
        peers[count++] = (struct peer_settings){
            .name = server->name,
            .address = "",
            .agent = world->links[node][i].agent ? "https://agent.example" : "",
            .collect = server->agentless ? server->name : "",
            .path = settings->defaults,
        };
    }
    qsort_r(by_name, count, sizeof *by_name, compare_names, peers);
    settings->peers = peers;
    settings->peers_by_name = by_name;
    settings->peer_count = count;
}

struct settings *mesh_settings_build(const struct world *world, int node)
{
    struct arena *arena = arena_create();
    struct settings *settings = arena_take(arena, sizeof *settings);
    const struct parameters *parameters = &world->parameters;
    const struct node *agent = &world->servers[node].node;
    *settings = (struct settings){
        .arena = arena,
        .server = world->servers[node].name,
        .address = "",
        .state_dir = "",
        .retention = parameters->retention,
        .defaults = parameters->path,
        .maintenance = parameters->maintenance,
        .incidents = parameters->incidents,
        .http = {.certificate_file = ""},
    };
    settings->maintenance.alertmanager.url = "";
    if (world->servers[node].shown[PART_SMTP].tls) {
        settings->relay = (struct relay_settings){.host = "relay.example", .tls = TLS_STARTTLS};
    }
    if (agent->interval.ns > 0) {
        settings->defaults.interval = agent->interval;
    }
    settings->mailboxes = build_mailboxes(world, agent, settings);
    build_peers(world, node, settings);
    return settings;
}

void mesh_settings_destroy(struct settings *settings)
{
    arena_destroy(settings->arena);
}
