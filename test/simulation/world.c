#include "simulation/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulation/http.h"
#include "simulation/mail.h"
#include "simulation/node.h"
#include "simulation/reader.h"
#include "simulation/script.h"

struct world *world_create(struct journal *journal)
{
    struct world *world = memory_checked(calloc(1, sizeof *world));
    world->parameters = parameters_default();
    world->hub = -1;
    world->shown = -1;
    world->seed = 1;
    world->journal = journal;
    for (int from = 0; from < SERVERS_MAXIMUM; from++) {
        for (int to = 0; to < SERVERS_MAXIMUM; to++) {
            world->links[from][to].delay_least = SPAN_SECONDS(1);
            world->links[from][to].delay_most = SPAN_SECONDS(1);
        }
    }
    return world;
}

void world_destroy(struct world *world)
{
    for (int i = 0; i < world->server_count; i++) {
        node_free(world, i);
        messages_free(&world->servers[i].queue);
        messages_free(&world->servers[i].mailbox);
    }
    for (int from = 0; from < SERVERS_MAXIMUM; from++) {
        for (int to = 0; to < SERVERS_MAXIMUM; to++) {
            message_free(world->links[from][to].last);
            free(world->links[from][to].marks);
        }
    }
    for (size_t i = 0; i < world->event_count; i++) {
        message_free(world->events[i].message);
        free(world->events[i].exchange);
    }
    free(world->events);
    script_free(world->script);
    free(world);
}

static bool comes_first(const struct world_event *a, const struct world_event *b)
{
    return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->sequence < b->sequence;
}

void world_put_event(struct world *world, struct world_event event)
{
    if (world->event_count == world->event_room) {
        world->event_room = world->event_room == 0 ? 64 : world->event_room * 2;
        world->events =
            memory_checked(realloc(world->events, world->event_room * sizeof *world->events));
    }
    event.sequence = ++world->sequence;
    size_t place = world->event_count++;
    while (place > 0 && comes_first(&event, &world->events[(place - 1) / 2])) {
        world->events[place] = world->events[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    world->events[place] = event;
}

static struct world_event take_event(struct world *world)
{
    struct world_event first = world->events[0];
    struct world_event last = world->events[--world->event_count];
    size_t place = 0;
    for (size_t child; (child = 2 * place + 1) < world->event_count; place = child) {
        if (child + 1 < world->event_count &&
            comes_first(&world->events[child + 1], &world->events[child])) {
            child++;
        }
        if (comes_first(&last, &world->events[child])) {
            break;
        }
        world->events[place] = world->events[child];
    }
    world->events[place] = last;
    return first;
}

int world_find_server(const struct world *world, const char *name)
{
    for (int i = 0; i < world->server_count; i++) {
        if (strcmp(world->servers[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

struct moment world_moment(const struct world *world, int server)
{
    const struct server *host = &world->servers[server];
    return (struct moment){
        .instant = instant_add(world->now, host->boot_offset),
        .wall = {WORLD_EPOCH.ns + world->now.ns + host->wall_offset.ns},
    };
}

struct instant world_time_at(const struct world *world, int server, struct walltime at)
{
    return (struct instant){at.ns - WORLD_EPOCH.ns - world->servers[server].wall_offset.ns};
}

bool world_are_peers(const struct world *world, int a, int b)
{
    const struct server *one = &world->servers[a], *other = &world->servers[b];
    if (one->agentless || other->agentless) {
        return (one->agentless && one->collector == b) ||
               (other->agentless && other->collector == a);
    }
    return world->hub < 0 || world->hub == a || world->hub == b;
}

struct certificate world_certificate(const struct world *world, int server, enum part part)
{
    const struct shown *shown = &world->servers[server].shown[part];
    return (struct certificate){
        .seen = shown->tls, .verified = !shown->refused, .expires = shown->expires};
}

bool world_asleep(const struct world *world, int server)
{
    return world->servers[server].node.wakes.ns > world->now.ns;
}

// Events for an agent wait while it sleeps; those for an agent that has died are heard by nobody.
static bool put_off(struct world *world, struct world_event *event, int server)
{
    const struct node *node = &world->servers[server].node;
    if (node->core == NULL || event->run != node->runs) {
        message_free(event->message);
        free(event->exchange);
        return true;
    }
    if (world_asleep(world, server)) {
        event->at = node->wakes;
        world_put_event(world, *event);
        return true;
    }
    return false;
}

static void dispatch(struct world *world, struct world_event *event)
{
    switch (event->kind) {
    case WORLD_SCRIPT:
        script_run_line(world, (size_t)event->a);
        break;
    case WORLD_CONTENT:
        mail_take_content(world, event->message, (enum submission)event->a);
        break;
    case WORLD_SUBMITTED:
        if (!put_off(world, event, event->message->from)) {
            node_submitted(world, event->message, (enum submission)event->a);
        }
        break;
    case WORLD_QUEUE:
        mail_run_queue(world, event->a);
        break;
    case WORLD_DELIVER:
        mail_deliver(world, event->message);
        break;
    case WORLD_RETURN:
        mail_return(world, event->message, (enum report)event->a);
        break;
    case WORLD_READ:
        if (!put_off(world, event, event->a)) {
            reader_read(world, event->a, event->b);
        }
        break;
    case WORLD_POLL:
        if (!put_off(world, event, event->a)) {
            reader_poll(world, event->a, event->b);
        }
        break;
    case WORLD_GREETED:
        if (!put_off(world, event, event->a)) {
            node_greeted(world, event->a, event->b);
        }
        break;
    case WORLD_START:
        node_start(world, event->a);
        break;
    case WORLD_EXCHANGE:
        http_request(world, event);
        break;
    case WORLD_REPLY:
        if (!put_off(world, event, event->b)) {
            http_reply(world, event);
        }
        break;
    }
}

// The agent whose deadline comes first; -1 when none runs.
static int next_node(const struct world *world, struct instant *at)
{
    int next = -1;
    *at = INSTANT_NEVER;
    for (int i = 0; i < world->server_count; i++) {
        const struct node *node = &world->servers[i].node;
        struct instant due = instant_later(node->deadline, node->wakes);
        if (node->core != NULL && due.ns < at->ns) {
            next = i;
            *at = due;
        }
    }
    return next;
}

void world_run(struct world *world)
{
    world->began = true;
    world->random = random_stream_from(world->seed);
    for (int i = 0; i < world->server_count; i++) {
        if (!world->servers[i].agentless) {
            node_start(world, i);
        }
    }
    for (;;) {
        struct instant at;
        int node = next_node(world, &at);
        bool event = world->event_count > 0 && world->events[0].at.ns <= at.ns;
        at = event ? world->events[0].at : at;
        if (at.ns > world->end.ns) {
            break;
        }
        world->now = at;
        if (event) {
            struct world_event first = take_event(world);
            dispatch(world, &first);
        } else {
            node_time(world, node);
        }
    }
    world->now = world->end;
}
