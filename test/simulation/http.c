#include "simulation/http.h"

#include <stdlib.h>

#include "base/error.h"
#include "simulation/node.h"

#define ONE_WAY SPAN_MS(5)
#define TIMEOUT SPAN_SECONDS(10)

static void put(struct world *world, enum world_event_kind kind, struct span after, int from,
                int to, uint64_t run, struct exchange *said, const struct round_trip *trip)
{
    world_put_event(world, (struct world_event){.at = instant_add(world->now, after),
                                                .kind = kind,
                                                .a = from,
                                                .b = to,
                                                .run = run,
                                                .exchange = said,
                                                .trip = *trip});
}

static struct exchange *compose(struct world *world, int node, int peer)
{
    struct exchange *said = memory_checked(malloc(sizeof *said));
    core_compose(world->servers[node].node.core, peer, world_moment(world, node), said);
    return said;
}

void http_exchange(struct world *world, int node, int peer)
{
    const struct node *agent = &world->servers[node].node;
    int to = world_find_server(world, agent->settings->peers[peer].name);
    struct round_trip trip = {.requested = world_moment(world, node).wall};
    put(world, WORLD_EXCHANGE, ONE_WAY, node, to, agent->runs, compose(world, node, peer), &trip);
}

static void hear(struct world *world, int node, int from, const struct exchange *said,
                 const struct round_trip *trip)
{
    struct node *agent = &world->servers[node].node;
    int peer = settings_find_peer(agent->settings, world->servers[from].name);
    struct event event = {.kind = EVENT_EXCHANGE, .exchange = {peer, said, *trip}};
    if (said == NULL) {
        event = (struct event){.kind = EVENT_EXCHANGE_FAILED,
                               .exchange_failed = {peer, "connection refused"}};
    }
    if (peer >= 0) {
        node_handle(world, node, &event, NULL);
    }
}

// What was taken in has been written before the reply is made.
void http_request(struct world *world, struct world_event *event)
{
    const struct link *link = &world->links[event->a][event->b];
    struct node *agent = &world->servers[event->b].node;
    uint64_t run = event->run;
    bool silent = link->severed || world_asleep(world, event->b);
    struct exchange *reply = NULL;
    if (!silent && agent->core != NULL) {
        uint64_t runs = agent->runs;
        event->trip.received = world_moment(world, event->b).wall;
        hear(world, event->b, event->a, event->exchange, &event->trip);
        bool lives = agent->core != NULL && agent->runs == runs;
        int peer = !lives ? -1 : settings_find_peer(agent->settings, world->servers[event->a].name);
        reply = peer < 0 ? NULL : compose(world, event->b, peer);
        event->trip.replied = world_moment(world, event->b).wall;
    }
    free(event->exchange);
    put(world, WORLD_REPLY, silent ? TIMEOUT : ONE_WAY, event->b, event->a, run, reply,
        &event->trip);
}

void http_reply(struct world *world, struct world_event *event)
{
    event->trip.returned = world_moment(world, event->b).wall;
    hear(world, event->b, event->a, event->exchange, &event->trip);
    free(event->exchange);
}
