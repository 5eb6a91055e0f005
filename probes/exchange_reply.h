// What has come back over HTTP for a request of ours: the reply of the peer that was asked, or what
// is wrong with it. Nothing is believed before the signature over the raw bytes has been verified,
// but for the words of a refusal, which nobody signs and which only the operator reads.
#ifndef MAILFLOW_PROBES_EXCHANGE_REPLY_H
#define MAILFLOW_PROBES_EXCHANGE_REPLY_H

#include <stddef.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/mesh_key.h"
#include "base/probe_id.h"
#include "probes/exchange.h"

struct exchange_request {
    const char *from;
    const char *to;
    const struct probe_id *nonce;
};

// Not copied.
struct exchange_response {
    int status;            // of HTTP
    const char *signature; // "" for none
    const char *bytes;
    size_t length;
    struct walltime came;
};

enum exchange_reply {
    EXCHANGE_REPLY_GOOD,
    EXCHANGE_REPLY_REFUSAL, // by its HTTP status
    EXCHANGE_REPLY_UNSIGNED,
    EXCHANGE_REPLY_FORGED,    // or signed with a key that is not ours
    EXCHANGE_REPLY_MALFORMED, // but signed
    EXCHANGE_REPLY_ASTRAY,    // between others, or to another request
    EXCHANGE_REPLY_STALE,     // by our clock
};

// `out` is the message when it is good, else the error says why it is not.
enum exchange_reply exchange_reply_read(const struct exchange_response *response,
                                        const struct exchange_request *request,
                                        const struct mesh_keys *keys, struct exchange_message *out,
                                        struct error *error);

#endif
