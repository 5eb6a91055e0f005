// What two agents say to each other in one exchange over HTTP: the JSON of a request or a reply,
// and its signature. Nothing is read before the signature over the raw bytes has been verified.
//
//   {"v":1,"from":"mx02","to":"mx01","nonce":"<26 base32>","time":"<RFC 3339>","maintenance":"...",
//    "receipts":"...","row":"...","blind":false,"draining":false,"isolated":false}
//
// The three texts are those of a probe's headers. A reply says beside that which request it answers
// ("in_reply_to", its nonce) and when that came ("received"). Members that are not known are left
// alone, and older agents do not say "isolated".
//
// With "check":true it is no exchange but the question of `mailflowctl check --live` whether one
// would be taken, or the reply to that. It says nothing, and changes and counts nothing, so that it
// may be as old as it likes and come again; it is dated so long ago that an agent which does not
// know the question cannot take it for an exchange.
#ifndef MAILFLOW_PROBES_EXCHANGE_H
#define MAILFLOW_PROBES_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/mesh_key.h"
#include "base/probe_id.h"
#include "base/tag_codec.h"
#include "base/text.h"

#define EXCHANGE_PATH "/peer/v1/exchange"

enum { EXCHANGE_BODY_MAXIMUM = 64 * 1024 };

// A message made longer ago than this, or as far ahead, is not taken.
#define EXCHANGE_FRESHNESS SPAN_MINUTES(10)

// The HTTP status of the answer.
enum exchange_status {
    EXCHANGE_STATUS_ANSWERED = 200,
    EXCHANGE_STATUS_NO_MESSAGE = 400,
    EXCHANGE_STATUS_NOT_SIGNED = 401, // by a mesh key of the agent's
    EXCHANGE_STATUS_NOT_A_PEER = 403, // or meant for another server
    EXCHANGE_STATUS_OUT_OF_DATE = 409,
    EXCHANGE_STATUS_NOT_KEPT = 503, // the ledger failed
};

// What an agent says of itself and of others. The texts are those of the probes' headers of the
// same name.
struct exchange {
    char maintenance[TAG_LIST_SIZE];
    char receipts[TAG_LIST_SIZE];
    char row[TAG_LIST_SIZE];
    bool isolated; // in no header: probes of who is may not arrive
};

struct exchange_message {
    char from[SERVER_NAME_SIZE];
    char to[SERVER_NAME_SIZE];
    struct probe_id nonce;
    struct walltime time;
    bool reply;
    struct probe_id in_reply_to;
    struct walltime received;
    bool check;
    bool blind;    // a mailbox of the agent's server cannot be read
    bool draining; // its queue is still recovering from a window
    struct exchange exchange;
};

// A check, or the reply to one, with a new nonce; not a reply yet.
void exchange_message_compose_check(const char *from, const char *to, struct walltime time,
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
