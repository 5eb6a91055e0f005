// What two agents say to each other in one exchange over HTTP: the JSON of a request or a reply,
// and its signature. Nothing is read before the signature over the raw bytes has been verified.
//
//   {"v":1,"from":"mx02","to":"mx01","nonce":"<26 base32>","time":"<RFC 3339>","maintenance":"...",
//    "receipts":"...","row":"...","blind":false,"draining":false}
//
// The three texts are those of a probe's headers. A reply says beside that which request it answers
// ("in_reply_to", its nonce) and when that came ("received"). Members that are not known are left
// alone.
#ifndef MAILFLOW_SHELL_EXCHANGE_MESSAGE_H
#define MAILFLOW_SHELL_EXCHANGE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/mesh_key.h"
#include "base/probe_id.h"
#include "base/text.h"
#include "core/core.h"

#define EXCHANGE_PATH "/peer/v1/exchange"

enum { EXCHANGE_BODY_MAXIMUM = 64 * 1024 };

struct exchange_message {
    char from[SERVER_NAME_SIZE];
    char to[SERVER_NAME_SIZE];
    struct probe_id nonce;
    struct walltime time;
    bool reply;
    struct probe_id in_reply_to;
    struct walltime received;
    bool blind;    // a mailbox of the agent's server cannot be read
    bool draining; // its queue is still recovering from a window
    struct exchange exchange;
};

// What this agent has to tell the peer now, with a new nonce; not a reply yet.
void exchange_message_compose(const struct core *core, int peer, struct moment now,
                              struct exchange_message *out);

// The JSON; false when it does not fit.
bool exchange_message_write(const struct exchange_message *message, struct text *out);

void exchange_message_sign(const char *bytes, size_t length, const struct mesh_key *key,
                           struct text *out);
bool exchange_message_verify(const char *bytes, size_t length, const char *signature,
                             const struct mesh_keys *keys, struct error *error);

bool exchange_message_read(const char *bytes, size_t length, bool reply,
                           struct exchange_message *out, struct error *error);

#endif
