#include "simulation/mail.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "simulation/journal.h"

void message_free(struct message *message)
{
    if (message != NULL) {
        free(message->maintenance);
        free(message->receipts);
        free(message->row);
        free(message);
    }
}

static char *text_twice(const char *text)
{
    return text == NULL ? NULL : memory_checked(strdup(text));
}

struct message *message_copy(const struct message *message)
{
    struct message *copy = memory_checked(malloc(sizeof *copy));
    *copy = *message;
    copy->maintenance = text_twice(message->maintenance);
    copy->receipts = text_twice(message->receipts);
    copy->row = text_twice(message->row);
    return copy;
}

void messages_free(struct messages *messages)
{
    for (size_t i = 0; i < messages->count; i++) {
        message_free(messages->items[i]);
    }
    free(messages->items);
    *messages = (struct messages){0};
}

void messages_add(struct messages *messages, struct message *message)
{
    size_t count = messages->count;
    if ((count & (count - 1)) == 0) { // full at every power of two
        size_t size = (count == 0 ? 1 : count * 2) * sizeof(struct message *);
        messages->items = memory_checked(realloc(messages->items, size));
    }
    messages->items[messages->count++] = message;
}

void messages_remove(struct messages *messages, size_t place)
{
    messages->count--;
    memmove(messages->items + place, messages->items + place + 1,
            (messages->count - place) * sizeof *messages->items);
}

static bool take_one(unsigned *count)
{
    bool any = *count > 0;
    *count -= any;
    return any;
}

enum submission mail_submit(struct world *world, int from, int to)
{
    struct link *link = &world->links[from][to];
    if (!world->servers[from].smtp || world->servers[from].shown[PART_SMTP].refused) {
        return SUBMISSION_NO_SERVER;
    }
    return take_one(&link->refuse)               ? SUBMISSION_REJECTED
           : take_one(&link->uncertain_arrives)  ? SUBMISSION_UNCERTAIN_ARRIVES
           : take_one(&link->uncertain_vanishes) ? SUBMISSION_UNCERTAIN_VANISHES
                                                 : SUBMISSION_ACCEPTED;
}

static struct instant earliest_due(const struct messages *queue)
{
    struct instant due = INSTANT_NEVER;
    for (size_t i = 0; i < queue->count; i++) {
        due = instant_earlier(due, queue->items[i]->due);
    }
    return due;
}

static void schedule_queue(struct world *world, int server)
{
    struct server *host = &world->servers[server];
    struct instant due = instant_later(earliest_due(&host->queue), world->now);
    bool scheduled = host->queue_due.ns > world->now.ns && host->queue_due.ns <= due.ns;
    if (host->queue.count > 0 && !scheduled) {
        host->queue_due = due;
        world_put_event(world, (struct world_event){.at = due, .kind = WORLD_QUEUE, .a = server});
    }
}

void mail_take_content(struct world *world, struct message *message, enum submission submission)
{
    const struct node *node = &world->servers[message->from].node;
    message->sent = world_moment(world, message->from).wall;
    message->tag.sent = message->sent;
    message->entered = message->due = world->now;
    if (submission == SUBMISSION_ACCEPTED || submission == SUBMISSION_UNCERTAIN_ARRIVES) {
        messages_add(&world->servers[message->from].queue, message_copy(message));
        schedule_queue(world, message->from);
    }
    bool timeout =
        submission == SUBMISSION_UNCERTAIN_ARRIVES || submission == SUBMISSION_UNCERTAIN_VANISHES;
    struct span reply = timeout ? SPAN_SECONDS(30) : world->parameters.submit;
    world_put_event(world, (struct world_event){.at = instant_add(world->now, reply),
                                                .kind = WORLD_SUBMITTED,
                                                .a = (int)submission,
                                                .run = node->runs,
                                                .message = message});
}

static void put_off(const struct world *world, struct message *message)
{
    const struct parameters *parameters = &world->parameters;
    struct span waited = instant_since(world->now, message->entered);
    struct span wait =
        span_shorter(span_longer(waited, parameters->retry_first), parameters->retry_last);
    message->due = instant_add(world->now, wait);
    int64_t run = parameters->queue_run.ns;
    if (run > 0) {
        message->due.ns = (message->due.ns + run - 1) / run * run;
    }
}

// The server that took the message over, or the next one, tells its sender what became of it.
static void tell_sender(struct world *world, const struct message *message, enum report report,
                        struct instant at)
{
    world_put_event(world, (struct world_event){.at = at,
                                                .kind = WORLD_RETURN,
                                                .a = (int)report,
                                                .message = message_copy(message)});
}

static void warn_sender(struct world *world, struct message *message)
{
    struct span waited = instant_since(world->now, message->entered);
    struct span limit = world->parameters.warn_after;
    if (limit.ns > 0 && waited.ns >= limit.ns && !message->warned) {
        message->warned = true;
        tell_sender(world, message, REPORT_DELAYED, world->now);
    }
}

static void send_off(struct world *world, struct message *message)
{
    struct link *link = &world->links[message->from][message->to];
    struct span spread = {link->delay_most.ns - link->delay_least.ns};
    double more = random_stream_fraction(&world->random) * (double)spread.ns;
    struct span delay = span_add(link->delay_least, (struct span){(int64_t)more});
    struct instant at = instant_add(world->now, delay);
    if (take_one(&link->lose)) {
        journal_trace(world, message->from, "lost", &message->tag);
        message_free(message);
        return;
    }
    bool full = take_one(&link->bounce_full);
    if (full || take_one(&link->bounce)) {
        tell_sender(world, message, full ? REPORT_FULL : REPORT_FAILED, at);
        message_free(message);
        return;
    }
    if (take_one(&link->bounce_delivered)) {
        tell_sender(world, message, REPORT_FAILED, instant_add(at, SPAN_MINUTES(5)));
    }
    if (take_one(&link->duplicate)) {
        struct message *twin = message_copy(message);
        world_put_event(world, (struct world_event){.at = instant_add(at, SPAN_SECONDS(3)),
                                                    .kind = WORLD_DELIVER,
                                                    .message = twin});
    }
    world_put_event(world,
                    (struct world_event){.at = at, .kind = WORLD_DELIVER, .message = message});
}

// One attempt: true when the message has left the queue.
static bool attempt(struct world *world, struct message *message)
{
    struct link *link = &world->links[message->from][message->to];
    bool first = message->attempts++ == 0;
    if (link->cut || !world->servers[message->to].smtp || (first && take_one(&link->defer))) {
        put_off(world, message);
        warn_sender(world, message);
        journal_trace(world, message->from, "deferred", &message->tag);
        return false;
    }
    send_off(world, message);
    return true;
}

void mail_run_queue(struct world *world, int server)
{
    struct server *host = &world->servers[server];
    if (!host->smtp) {
        return;
    }
    for (size_t i = 0; i < host->queue.count;) {
        struct message *message = host->queue.items[i];
        if (instant_reached(world->now, message->due) && attempt(world, message)) {
            messages_remove(&host->queue, i);
        } else {
            i++;
        }
    }
    schedule_queue(world, server);
}

void mail_flush(struct world *world, int server)
{
    struct messages *queue = &world->servers[server].queue;
    for (size_t i = 0; i < queue->count; i++) {
        queue->items[i]->due = world->now;
    }
    mail_run_queue(world, server);
}

static void store(struct world *world, struct message *message)
{
    struct server *host = &world->servers[message->to];
    message->uid = ++world->uids;
    message->stored = world->now;
    message->reported = false;
    if (world->parameters.saved) {
        int64_t second = SPAN_SECONDS(1).ns;
        message->saved.ns = world_moment(world, message->to).wall.ns / second * second;
    }
    messages_add(&host->mailbox, message);
    int reader = host->agentless ? host->collector : message->to;
    const struct node *node = &world->servers[reader].node;
    for (size_t i = 0; i < node->reader_count; i++) {
        if (node->readers[i].server == message->to) {
            world_put_event(
                world, (struct world_event){.at = instant_add(world->now, world->parameters.lag),
                                            .kind = WORLD_READ,
                                            .a = reader,
                                            .b = (int)i,
                                            .run = node->runs});
        }
    }
}

// Its way is known when it comes: the next of the routes that its link takes in turn.
static void mark(struct link *link, struct message *message)
{
    if (link->marks == NULL) {
        return;
    }
    message->marks = *link->marks;
    if (link->marks->route_count > 0) {
        unsigned turn = link->marked++ % link->marks->route_count;
        memcpy(message->marks.routes[0], link->marks->routes[turn], ROUTE_TEXT_SIZE);
    }
}

void mail_deliver(struct world *world, struct message *message)
{
    struct link *link = &world->links[message->from][message->to];
    mark(link, message);
    message_free(link->last);
    link->last = message_copy(message);
    store(world, message);
}

void mail_return(struct world *world, struct message *message, enum report report)
{
    int reporter = message->to;
    journal_trace(world, message->from, report == REPORT_DELAYED ? "delayed" : "bounced",
                  &message->tag);
    message->report = report;
    message->to = message->from;
    message->from = reporter;
    store(world, message);
}

void mail_replay(struct world *world, int from, int to)
{
    const struct message *last = world->links[from][to].last;
    if (last != NULL) {
        store(world, message_copy(last));
    }
}
