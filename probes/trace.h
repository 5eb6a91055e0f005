// What a message says of its way: the hops of its Received chain (RFC 5321 section 4.4) and what
// the receiving server found of its authentication (RFC 8601). Plain values and their JSON: the
// same text goes from mailflow-collect to the agent and from there into the ledger.
//
// All of it was written by servers on the way, or by whoever claims to be one. The texts are
// bounded and plain: printable ASCII without quote and backslash, so that no JSON grows by escapes.
#ifndef MAILFLOW_PROBES_TRACE_H
#define MAILFLOW_PROBES_TRACE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"

enum {
    HOPS_MAXIMUM = 32,
    HOP_HOST_SIZE = 64,
    HOP_PROTOCOL_SIZE = 24,
    HOP_TLS_SIZE = 56,
    HOP_QUEUE_ID_SIZE = 40,
    AUTHSERV_ID_SIZE = 128,
    AUTH_REASON_SIZE = 64,
};

// One server that took the message over. "" where it does not say.
struct hop {
    char from[HOP_HOST_SIZE]; // what the client called itself ...
    char seen[HOP_HOST_SIZE]; // ... and what the server saw it as
    char by[HOP_HOST_SIZE];
    char protocol[HOP_PROTOCOL_SIZE];
    char tls[HOP_TLS_SIZE]; // "TLSv1.3 TLS_AES_256_GCM_SHA384", or "TLS" when that is all it says
    char queue_id[HOP_QUEUE_ID_SIZE];
    struct walltime time; // to the second, by the clock of that server; none when unreadable
};

// RFC 8601 section 2.7; arc: RFC 8617 section 4.4.
enum auth_method { AUTH_SPF, AUTH_DKIM, AUTH_DMARC, AUTH_ARC, AUTH_METHODS };
const char *auth_method_name(enum auth_method method);
bool auth_method_parse(const char *name, enum auth_method *out);

enum auth_result {
    AUTH_ABSENT, // the header says nothing of the method
    AUTH_NONE,
    AUTH_PASS,
    AUTH_FAIL,
    AUTH_POLICY,
    AUTH_NEUTRAL,
    AUTH_SOFTFAIL,
    AUTH_TEMPERROR,
    AUTH_PERMERROR,
    AUTH_RESULTS
};
const char *auth_result_name(enum auth_result result); // "" for AUTH_ABSENT
bool auth_result_parse(const char *name, enum auth_result *out);

// Of the topmost header of the authserv-id that is trusted; "" and all absent when there is none.
struct authentication {
    char authserv_id[AUTHSERV_ID_SIZE];
    enum auth_result results[AUTH_METHODS];
    char reasons[AUTH_METHODS][AUTH_REASON_SIZE]; // "" when it gives none
};

struct trace {
    struct hop hops[HOPS_MAXIMUM]; // oldest first
    size_t count;
    int64_t more; // older ones that were left out
    bool cut;     // and there may be still older ones that nobody has read
    struct authentication authentication;
};

// Whether it says anything at all.
bool trace_known(const struct trace *trace);

// Leaves out the oldest hop.
void trace_shorten(struct trace *trace);

// The names of the servers that took it over, in lower case, oldest first, one blank between them;
// neighbours of one name are one. What is no name of a host (an address, an internal id) is left
// out. One that does not fit ends in a digest of the whole, so that two routes are equal if and
// only if their texts are.
enum { ROUTE_SIZE = 256 };
void trace_route(const struct trace *trace, char route[ROUTE_SIZE]);

// Readers fill a zeroed trace and name what is wrong with the JSON.
json_t *trace_to_json(const struct trace *trace);
bool trace_from_json(const json_t *object, struct trace *out, struct error *error);

#endif
