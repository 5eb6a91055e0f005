// One door through which requests come in: a listening socket and the connections made to it, as a
// libmicrohttpd daemon without a thread. Whoever owns the door waits for it and runs it.
//
// Connections, their memory and their idle time are limited. Above three quarters of the limit, or
// after a minute, those that are of no use are shown out, first of addresses that hold many, so
// that nobody locks the others out.
#ifndef MAILFLOW_SHELL_HTTP_DOOR_H
#define MAILFLOW_SHELL_HTTP_DOOR_H

#include <stdbool.h>

#include "base/instant.h"
#include "shell/agent.h"

struct http_door;

struct http_door_rules {
    struct agent *agent; // answers
    bool may_write;
    const char *certificate; // PEM; "" = in the clear. Only read by http_door_open
    const char *key;         // likewise
};

// Takes the listening socket over; NULL, and it does not, when the machine has no more resources,
// or when certificate and key are no pair.
struct http_door *http_door_open(int listening, const struct http_door_rules *rules);

// Readable when there is something to do.
int http_door_descriptor(const struct http_door *door);

void http_door_run(struct http_door *door);

// When to run it at the latest.
struct instant http_door_due(const struct http_door *door, struct instant now);

// Another descriptor of its listening socket, for a door that is to take its place.
int http_door_share(const struct http_door *door);

// Nobody new gets in.
void http_door_shut(struct http_door *door);

void http_door_close(struct http_door *door);

#endif
