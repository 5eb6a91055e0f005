// The simulated world: mail servers with queues and mailboxes, the links between them, and beside
// each server (or not) an agent: the real core over an in-memory ledger.
//
// World time is an instant that starts at zero. Each host has clocks of its own, derived from it:
// a boot-time clock that starts anew with the host and a wall clock that may be off and may step.
// Everything that happens is an event in one queue, in the order of time and then of being put
// there, so that a run repeats exactly. mail.c moves messages, reader.c reads mailboxes, node.c
// runs the agents, script.c says what goes wrong, journal.c writes down what is said.
#ifndef MAILFLOW_SIMULATION_WORLD_H
#define MAILFLOW_SIMULATION_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/random.h"
#include "core/core.h"
#include "simulation/ledger.h"
#include "simulation/parameters.h"

enum { SERVERS_MAXIMUM = 64, READERS_MAXIMUM = 8, ROUTES_MAXIMUM = 8, ROUTE_TEXT_SIZE = 48 };

// 2026-01-04T00:00:00Z at world time zero.
#define WORLD_EPOCH ((struct walltime){1767484800000000000})

// What its servers write into the messages of a link.
struct marks {
    char routes[ROUTES_MAXIMUM][ROUTE_TEXT_SIZE]; // taken in turn; what is between blanks are hosts
    unsigned route_count;                         // 0: no Received headers
    char skewed[ROUTE_TEXT_SIZE];                 // this one of them stamps by a clock ...
    struct span skew;                             // ... that is so far ahead
    enum auth_result results[AUTH_METHODS];
    char folder[PROBE_FOLDER_SIZE]; // where they are put; "" = the first
};

struct message {
    uint64_t uid;
    struct tag tag;
    char *maintenance; // owned, like the next two: the values of the headers
    char *receipts;
    char *row;
    int from;
    int to;
    struct walltime sent;   // of its sender's clock
    struct instant entered; // the queue of the sender's server
    struct instant due;     // of the next attempt, in a queue
    struct instant stored;  // in the mailbox
    struct walltime saved;  // what the mailbox says of that
    bool reported;          // to the reader that runs now
    struct marks marks;     // its own route as the only one
    unsigned attempts;
    bool warned; // its sender has been told that it is delayed
    enum report { REPORT_NONE, REPORT_FAILED, REPORT_FULL, REPORT_DELAYED } report; // about it
};

// Owned messages, in the order in which they came.
struct messages {
    struct message **items;
    size_t count;
};

// One direction between two servers. The counts are of the next messages that it happens to.
struct link {
    bool cut;
    bool agent;   // the one's configuration says where the other's agent answers over HTTP
    bool severed; // and nothing answers there
    struct span delay_least;
    struct span delay_most;
    unsigned lose;
    unsigned duplicate;
    unsigned defer;             // at their first attempt only (greylisting)
    unsigned bounce;            // refused by the next server: a report goes back ...
    unsigned bounce_full;       // ... for the mailbox is full
    unsigned bounce_delivered;  // ... although it is delivered
    unsigned refuse;            // submissions answered with 5xx
    unsigned uncertain_arrives; // submissions without an answer, message taken over or not
    unsigned uncertain_vanishes;
    struct marks *marks;  // owned; NULL: none
    unsigned marked;      // messages so far
    struct message *last; // a copy of the last one delivered, for a replay
};

// What an agent knows as one mailbox of its configuration.
struct reader {
    int server;                   // in whose mailbox it reads
    bool told;                    // the agent has been told whether it is readable
    bool readable;                // what it has been told
    struct instant readable_from; // world time
    struct instant complete;      // the last complete read, never before the first
};

enum kill_phase { KILL_NONE, KILL_BEFORE_COMMIT, KILL_BEFORE_DEEDS, KILL_AMID_DEEDS, KILL_PHASES };

struct node {
    struct settings *settings;
    struct core *core; // NULL while the agent does not run
    struct ledger ledger;
    struct reader readers[READERS_MAXIMUM];
    size_t reader_count;
    struct instant deadline; // world time
    struct instant wakes;    // events wait until then: asleep or stopped
    struct span interval;    // of its own to everyone; zero: the world's
    bool away; // its host is down, or it has been stopped: nothing but a script brings it back
    bool forgets[SERVERS_MAXIMUM];
    enum kill_phase kill;
    bool crashed;
    uint64_t runs;
    uint64_t duplicates[SERVERS_MAXIMUM]; // of earlier runs; the ledger has the rest
    uint64_t missed[SERVERS_MAXIMUM];
    uint64_t route_changes[SERVERS_MAXIMUM];
    uint64_t misplaced[SERVERS_MAXIMUM];
    uint64_t routes_told[SERVERS_MAXIMUM]; // of all runs
    uint64_t resolved[SERVERS_MAXIMUM][DIRECTIONS][VERDICTS];
    uint64_t negative;
};

// Where a server speaks TLS, and what it shows there.
enum part { PART_SMTP, PART_IMAP, PARTS };

struct shown {
    bool tls;
    struct walltime expires;
    bool refused; // by everybody
};

struct server {
    char name[SERVER_NAME_SIZE];
    bool smtp;
    bool imap;
    struct shown shown[PARTS];
    bool agentless;
    int collector; // whose agent reads the mailbox of an agentless one
    struct span boot_offset;
    struct span wall_offset;
    struct messages queue;
    struct instant queue_due; // of the event that is in the queue of events
    struct messages mailbox;
    struct node node;
};

enum world_event_kind {
    WORLD_SCRIPT,    // a: line
    WORLD_CONTENT,   // message; a: enum submission
    WORLD_SUBMITTED, // message; a: enum submission
    WORLD_QUEUE,     // a: server
    WORLD_DELIVER,   // message
    WORLD_RETURN,    // message; a: enum report: its sender is told what became of it
    WORLD_READ,      // a: node, b: reader: something has arrived
    WORLD_POLL,      // a: node, b: reader: it is time to look, again and again
    WORLD_GREETED,   // a: node, b: server that it has asked to greet
    WORLD_START,     // a: node: its agent comes up again
    WORLD_EXCHANGE,  // exchange; a: from, b: to: a request over HTTP
    WORLD_REPLY,     // exchange; a: from, b: to: the reply to it, NULL when there was none
};

struct world_event {
    struct instant at;
    uint64_t sequence;
    enum world_event_kind kind;
    int a;
    int b;
    uint64_t run; // of the node that it is for; of an earlier run: nobody is there to hear it
    struct message *message;
    struct exchange *exchange; // owned
    struct round_trip trip;    // so far
};

struct script;
struct journal;

struct world {
    struct parameters parameters;
    struct server servers[SERVERS_MAXIMUM];
    int server_count;
    int hub;   // the only one that everybody is a peer of, -1 for a full mesh
    int shown; // the only one whose lines are written down, the others' are counted; -1 for all
    struct link links[SERVERS_MAXIMUM][SERVERS_MAXIMUM]; // [from][to]
    struct instant now;
    struct instant end;
    bool began;
    struct world_event *events; // a binary heap
    size_t event_count;
    size_t event_room;
    uint64_t sequence;
    uint64_t uids;
    uint64_t seed;
    struct random_stream random;
    struct script *script;
    struct journal *journal;
    struct actions actions; // of the core that is at work
};

struct world *world_create(struct journal *journal);
void world_destroy(struct world *world);

// Runs from zero to the end that the script has set.
void world_run(struct world *world);

void world_put_event(struct world *world, struct world_event event);
int world_find_server(const struct world *world, const char *name);
struct moment world_moment(const struct world *world, int server);

// World time of a wall clock reading of a server's host.
struct instant world_time_at(const struct world *world, int server, struct walltime at);

// Whether these two exchange probes.
bool world_are_peers(const struct world *world, int a, int b);
struct certificate world_certificate(const struct world *world, int server, enum part part);
bool world_asleep(const struct world *world, int server);

#endif
