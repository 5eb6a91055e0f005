#include "config/mesh.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rendezvous.h"

int settings_find_listed(const struct settings *settings, const char *name)
{
    size_t low = 0;
    size_t high = settings->mesh_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, settings->mesh[middle].name);
        if (order == 0) {
            return (int)middle;
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return -1;
}

bool settings_in_mesh(const struct settings *settings, const char *name)
{
    return strcmp(name, settings->server) == 0 || settings_find_peer(settings, name) >= 0 ||
           settings_find_listed(settings, name) >= 0;
}

static bool same_listed(const struct listed_server *a, const struct listed_server *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->address, b->address) == 0 &&
           strcmp(a->agent, b->agent) == 0 && strcmp(a->mail_server, b->mail_server) == 0 &&
           a->list == b->list && a->line == b->line;
}

bool settings_same_lists(const struct settings *a, const struct settings *b)
{
    bool same = a->list_count == b->list_count && a->listed_count == b->listed_count;
    for (size_t i = 0; same && i < a->list_count; i++) {
        same = strcmp(a->lists[i].name, b->lists[i].name) == 0 &&
               strcmp(a->lists[i].failure, b->lists[i].failure) == 0;
    }
    for (size_t i = 0; same && i < a->listed_count; i++) {
        same = same_listed(&a->listed[i], &b->listed[i]);
    }
    return same;
}

// What the bond makes of a server.
static uint8_t reasons_of(uint8_t bonds, uint32_t fanout)
{
    if (bonds == 0 || fanout == 0) {
        return bonds == 0 ? 0 : PEER_LISTED;
    }
    return (uint8_t)(((bonds & BOND_WATCHED) != 0 ? PEER_WATCHED : 0) |
                     ((bonds & BOND_WATCHER) != 0 ? PEER_WATCHER : 0));
}

// A server that is in no list picks as if it were: its own list may be older than the others'.
void settings_pick_peers(const struct settings *settings, const char *server, uint8_t *reasons)
{
    size_t count = settings->mesh_count;
    int listed = settings_find_listed(settings, server);
    size_t self = listed >= 0 ? (size_t)listed : count;
    size_t all = listed >= 0 ? count : count + 1;
    uint64_t *hashes = memory_checked(calloc(all, sizeof *hashes));
    uint8_t *bonds = memory_checked(calloc(all, sizeof *bonds));
    for (size_t i = 0; i < count; i++) {
        hashes[i] = rendezvous_hash(settings->mesh[i].name);
    }
    hashes[self] = rendezvous_hash(server);
    rendezvous_bind(hashes, all, self, settings->fanout, bonds);
    for (size_t i = 0; i < count; i++) {
        reasons[i] = reasons_of(bonds[i], settings->fanout);
    }
    free(bonds);
    free(hashes);
}

static struct peer_settings peer_of(const struct settings *settings,
                                    const struct listed_server *server, uint8_t reasons)
{
    const struct peer_list *list = &settings->lists[server->list];
    return (struct peer_settings){
        .name = server->name,
        .address = server->address,
        .agent = server->agent,
        .mail_server = server->mail_server,
        .collect = "",
        .relay = settings->relay,
        .path = settings->peers_from[list->source].path,
        .origin = list->name,
        .line = server->line,
        .reasons = reasons,
    };
}

// Those out of the lists are behind the configured ones and in the order of their names, so that
// the two orders need only be merged.
static void index_by_name(struct settings *settings)
{
    size_t configured = settings->configured_count, count = settings->peer_count;
    uint32_t *by_name = arena_take(settings->list_arena, (count + 1) * sizeof *by_name);
    size_t a = 0, b = configured;
    for (size_t i = 0; i < count; i++) {
        bool first = a < configured &&
                     (b == count || strcmp(settings->peers[settings->configured_by_name[a]].name,
                                           settings->peers[b].name) < 0);
        by_name[i] = first ? settings->configured_by_name[a++] : (uint32_t)b++;
    }
    settings->peers_by_name = by_name;
}

void mesh_join_peers(struct settings *settings)
{
    settings->peers = settings->configured_peers;
    settings->peer_count = settings->configured_count;
    settings->peers_by_name = settings->configured_by_name;
    if (settings->mesh_count == 0) {
        return;
    }
    uint8_t *reasons = memory_checked(calloc(settings->mesh_count, sizeof *reasons));
    size_t count = settings->configured_count, most = count;
    settings_pick_peers(settings, settings->server, reasons);
    for (size_t i = 0; i < settings->mesh_count; i++) {
        most += reasons[i] != 0;
    }
    struct peer_settings *peers = arena_take(settings->list_arena, (most + 1) * sizeof *peers);
    if (count > 0) {
        memcpy(peers, settings->configured_peers, count * sizeof *peers);
    }
    for (size_t i = 0; i < settings->mesh_count; i++) {
        int configured = settings_find_peer(settings, settings->mesh[i].name);
        if (configured >= 0) {
            peers[configured].reasons |= reasons[i];
        } else if (reasons[i] != 0) {
            peers[count++] = peer_of(settings, &settings->mesh[i], reasons[i]);
        }
    }
    free(reasons);
    settings->peers = peers;
    settings->peer_count = count;
    index_by_name(settings);
}
