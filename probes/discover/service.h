// The servers that the SRV records of a name list (RFC 2782).
#ifndef MAILFLOW_PROBES_DISCOVER_SERVICE_H
#define MAILFLOW_PROBES_DISCOVER_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "probes/probe.h"

// As many as an answer of 64 KiB can hold.
enum { SERVICE_SERVERS_MAXIMUM = 4096 };

struct service_server {
    char host[PROBE_HOST_SIZE];
    uint16_t port;
};

// Asks the resolver's name servers, over TCP where the answer is truncated. At most
// SERVICE_SERVERS_MAXIMUM of them into `out`, by host and port, each once. False with the reason
// when there is no answer, when it is not good to its end, or when it lists no server.
bool service_find(const char *name, struct service_server *out, size_t *count, struct error *error);

#endif
