#include "simulation/reader.h"

#include <string.h>

#include "simulation/node.h"

static void poll_after(struct world *world, int node, int reader, struct span after)
{
    world_put_event(world, (struct world_event){.at = instant_add(world->now, after),
                                                .kind = WORLD_POLL,
                                                .a = node,
                                                .b = reader,
                                                .run = world->servers[node].node.runs});
}

void reader_begin(struct world *world, int node)
{
    struct node *reading = &world->servers[node].node;
    for (size_t i = 0; i < reading->reader_count; i++) {
        struct reader *reader = &reading->readers[i];
        struct messages *mailbox = &world->servers[reader->server].mailbox;
        *reader = (struct reader){.server = reader->server};
        for (size_t k = 0; k < mailbox->count; k++) {
            mailbox->items[k]->reported = false;
        }
        poll_after(world, node, (int)i, SPAN_MS(100));
    }
}

static void tell_readable(struct world *world, int node, int index, bool readable)
{
    struct reader *reader = &world->servers[node].node.readers[index];
    if (reader->told && reader->readable == readable) {
        return;
    }
    reader->told = true;
    reader->readable = readable;
    reader->readable_from = world->now;
    struct certificate certificate = world_certificate(world, reader->server, PART_IMAP);
    bool refused = certificate.seen && !certificate.verified;
    struct event event = {
        .kind = EVENT_MAILBOX,
        .mailbox = {index, readable,
                    readable  ? ""
                    : refused ? "imap.example: certificate is not trusted"
                              : "connection refused",
                    &certificate},
    };
    node_handle(world, node, &event, NULL);
}

static struct moment moment_of(const struct world *world, int node, struct instant at)
{
    struct moment now = world_moment(world, node);
    struct span ago = instant_since(world->now, at);
    return (struct moment){{now.instant.ns - ago.ns}, {now.wall.ns - ago.ns}};
}

// Where the mailbox was watched when the message came, it was seen to come; else all that is known
// is that it came since the last read.
static struct moment absent_at(const struct world *world, int node, const struct reader *reader,
                               const struct message *message)
{
    bool watched = message->stored.ns >= reader->readable_from.ns;
    struct instant seen = instant_add(message->stored, world->parameters.lag);
    struct instant before = {seen.ns - world->parameters.width.ns};
    struct instant at = watched ? instant_later(before, reader->complete) : reader->complete;
    if (at.ns == 0) {
        return (struct moment){0};
    }
    return moment_of(world, node, at);
}

static void report_bounce(struct world *world, int node, int index, struct message *message)
{
    const struct bounce full = {
        .action = BOUNCE_FAILED, .status = "5.2.2", .diagnostic = "552 5.2.2 mailbox full"};
    const struct bounce unknown = {.action = message->report == REPORT_DELAYED ? BOUNCE_DELAYED
                                                                               : BOUNCE_FAILED,
                                   .status = "5.1.1",
                                   .diagnostic = "550 5.1.1 no such user"};
    struct collect_report report = {
        .kind = COLLECT_BOUNCE,
        .present = world_moment(world, node),
        .verified = true,
        .tag = message->tag,
        .bounce = message->report == REPORT_FULL ? full : unknown,
    };
    struct event event = {
        .kind = EVENT_BOUNCE,
        .arrival = {.mailbox = index, .report = &report},
    };
    node_handle(world, node, &event, message);
}

// The first server takes it over when it is sent, and the others when it arrives: between the first
// two it waits.
static void add_hops(const struct message *message, struct trace *trace)
{
    char route[ROUTE_TEXT_SIZE], *rest;
    const int64_t second = SPAN_SECONDS(1).ns;
    memcpy(route, message->marks.routes[0], sizeof route);
    for (char *host = strtok_r(route, " ", &rest); host != NULL;
         host = strtok_r(NULL, " ", &rest)) {
        struct hop *hop = &trace->hops[trace->count];
        struct span waited = instant_since(message->stored, message->entered);
        struct walltime at = walltime_add(message->sent, trace->count++ == 0 ? SPAN_ZERO : waited);
        text_copy(hop->by, sizeof hop->by, host);
        if (strcmp(host, message->marks.skewed) == 0) {
            at = walltime_add(at, message->marks.skew);
        }
        hop->time.ns = at.ns / second * second;
    }
}

static void add_marks(const struct message *message, struct collect_report *report)
{
    const struct marks *marks = &message->marks;
    struct authentication *found = &report->trace.authentication;
    text_copy(report->folder, sizeof report->folder,
              marks->folder[0] == '\0' ? "INBOX" : marks->folder);
    if (marks->route_count > 0) {
        add_hops(message, &report->trace);
    }
    for (int method = 0; method < AUTH_METHODS; method++) {
        found->results[method] = marks->results[method];
        if (marks->results[method] != AUTH_ABSENT) {
            text_copy(found->authserv_id, sizeof found->authserv_id, "here");
        }
    }
}

static void report_arrival(struct world *world, int node, int index, struct message *message)
{
    const struct reader *reader = &world->servers[node].node.readers[index];
    struct collect_report report = {
        .kind = COLLECT_ARRIVAL,
        .absent = absent_at(world, node, reader, message),
        .present = world_moment(world, node),
        .saved = message->saved,
        .tag = message->tag,
    };
    text_copy(report.mailbox, sizeof report.mailbox,
              world->servers[node].node.settings->mailboxes[index].name);
    add_marks(message, &report);
    text_copy(report.maintenance, sizeof report.maintenance, message->maintenance);
    text_copy(report.receipts, sizeof report.receipts, message->receipts);
    text_copy(report.row, sizeof report.row, message->row);
    struct event event = {
        .kind = EVENT_ARRIVAL,
        .arrival = {.mailbox = index, .report = &report},
    };
    event.arrival.known =
        ledger_find_arrival(&world->servers[node].node.ledger, &message->tag.id, message->uid);
    node_handle(world, node, &event, message);
}

static void report(struct world *world, int node, int index, struct message *message)
{
    message->reported = true;
    if (message->report == REPORT_NONE) {
        report_arrival(world, node, index, message);
    } else {
        report_bounce(world, node, index, message);
    }
}

// The first message that this reader has not told its agent of.
static struct message *unreported(const struct messages *mailbox)
{
    for (size_t i = 0; i < mailbox->count; i++) {
        if (!mailbox->items[i]->reported) {
            return mailbox->items[i];
        }
    }
    return NULL;
}

void reader_read(struct world *world, int node, int index)
{
    struct node *reading = &world->servers[node].node;
    struct reader *reader = &reading->readers[index];
    struct server *server = &world->servers[reader->server];
    uint64_t run = reading->runs;
    bool readable = server->imap && !server->shown[PART_IMAP].refused;
    tell_readable(world, node, index, readable);
    for (struct message *next; readable && reading->core != NULL && reading->runs == run &&
                               (next = unreported(&server->mailbox)) != NULL;) {
        report(world, node, index, next);
    }
    if (reading->core == NULL || reading->runs != run) {
        return; // killed amid it
    }
    if (readable) {
        reader->complete = world->now;
        struct event event = {
            .kind = EVENT_COLLECTED,
            .collected = {index, world_moment(world, node).wall, 0},
        };
        node_handle(world, node, &event, NULL);
    }
}

void reader_poll(struct world *world, int node, int reader)
{
    uint64_t run = world->servers[node].node.runs;
    reader_read(world, node, reader);
    if (world->servers[node].node.runs == run) {
        poll_after(world, node, reader, world->parameters.collect);
    }
}
