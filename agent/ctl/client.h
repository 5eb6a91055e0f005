// The agent, as asked over its control socket: HTTP/1.1 on a unix socket (libcurl), JSON both ways.
// One request at a time, each bounded in time and its answer in size.
#ifndef MAILFLOW_CTL_CLIENT_H
#define MAILFLOW_CTL_CLIENT_H

#include <jansson.h>

#include "base/error.h"
#include "base/instant.h"

struct client;

// The socket's path must fit sun_path; a longer one is reported by the first request. Where nobody
// listens, what to do goes by whether there is a configuration.
struct client *client_create(const char *socket, const char *config, struct span timeout);
void client_destroy(struct client *client);

enum client_result {
    CLIENT_DONE,        // 2xx and a JSON object
    CLIENT_REFUSED,     // the agent says no: its problem detail (RFC 9457) is the error
    CLIENT_UNREACHABLE, // no whole HTTP answer; the error names the socket and what to do
};

// What "/api/v1" is followed by, with its query. `*answer` is the caller's (json_decref), NULL when
// there was no JSON object; a refusal may have one too. Text of the agent in the error is escaped.
enum client_result client_ask(struct client *client, const char *method, const char *target,
                              const json_t *request, json_t **answer, struct error *error);

// Waits before the agent is asked again.
void client_pause(struct span wait);

// Any text for a request; bytes that are no UTF-8 are escaped.
json_t *client_json_text(const char *from);

#endif
