// The tag: the signed headers by which a probe is recognised, wherever its mail went.
//
// Composing and reading are exact inverses. Whatever is read here may come from a stranger: nothing
// is believed before tag_verify (or the MAC in the Message-ID) says that a mesh key signed it.
//
//   Mailflow-Probe: v=1; from=mx02; to=mx01; kind=slot; slot=1041; prev=1040; sent=...; err=...;
//       next=60.000; drain=4900; id=...
//   Mailflow-Signature: a=hmac-sha256; k=k1; b=...
//
// The signature covers every Mailflow- header but itself in canonical form: header by header in the
// order of enum tag_header, as lower-case name, colon, value with runs of white space folded to one
// blank and none at the ends, newline (after "relaxed" of RFC 6376 section 3.4.2). HMAC: RFC 2104.
// The Message-ID repeats identity, path, slot and time under a 96-bit MAC of its own, so that a
// probe whose Mailflow- headers were stripped is still recognised and verified.
#ifndef MAILFLOW_BASE_TAG_CODEC_H
#define MAILFLOW_BASE_TAG_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/mesh_key.h"
#include "base/probe_id.h"
#include "base/text.h"

// Server names: 1 to 32 of letters, digits, - and _ (a dot would be ambiguous in the Message-ID).
#define SERVER_NAME_SIZE 33
bool server_name_valid(const char *name);

enum probe_kind { PROBE_SLOT, PROBE_ANNOUNCE, PROBE_ANSWER, PROBE_FRESH, PROBE_HAND };
const char *probe_kind_name(enum probe_kind kind);
bool probe_kind_parse(const char *name, enum probe_kind *out);

struct tag {
    char from[SERVER_NAME_SIZE];
    char to[SERVER_NAME_SIZE];
    enum probe_kind kind;
    int64_t slot;         // 0 when the kind has none
    int64_t previous;     // last slot handed over before this one; 0 when none
    struct walltime sent; // when the message data was handed over, sender's clock
    struct span error;    // of the sender's clock, as far as it knows
    struct span next;     // to the sender's next slot
    struct span drain;    // how long the sender's queue may take to drain after an outage
    struct probe_id id;
};

enum tag_header { TAG_PROBE, TAG_MAINTENANCE, TAG_RECEIPTS, TAG_ROW, TAG_SIGNATURE, TAG_HEADERS };
const char *tag_header_name(enum tag_header header);

// Unfolded values, NULL where absent. The pointers are the caller's.
struct tag_values {
    const char *of[TAG_HEADERS];
};

enum {
    TAG_PROBE_SIZE = 400,
    TAG_SIGNATURE_SIZE = 120,
    TAG_MESSAGE_ID_SIZE = 480,
    TAG_LIST_SIZE = 2400, // the value of one of the three lists
};

void tag_format_probe(const struct tag *tag, struct text *out);
bool tag_parse_probe(const char *value, struct tag *out, struct error *error);

// The value of Mailflow-Signature over the values given.
void tag_sign(const struct tag_values *values, const struct mesh_key *key, struct text *out);

// True when a key of ours made the signature. Constant-time in the secret.
bool tag_verify(const struct tag_values *values, const struct mesh_keys *keys, struct error *error);

// "<id.from.to.slot.sent.mac@domain>".
void tag_format_message_id(const struct tag *tag, const struct mesh_key *key, const char *domain,
                           struct text *out);

// Reads and verifies a Message-ID, angle brackets included. False with an empty error when it is
// not of our form at all (a stranger's mail), false with a message when it is but does not verify.
// error, next, drain and previous are not in it and come back zero; kind is slot when there is a
// slot, else hand. `out` is not to be believed after a refusal.
bool tag_parse_message_id(const char *value, const struct mesh_keys *keys, struct tag *out,
                          struct error *error);

#endif
