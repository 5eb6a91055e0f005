// The value of Mailflow-Signature, in mail and in HTTP alike: "a=hmac-sha256; k=k1; b=BASE64".
// HMAC: RFC 2104. What is signed is the business of the two who use it: the headers of a probe
// (tag_codec.h), or bytes under a word that says what they are.
#ifndef MAILFLOW_BASE_SIGNATURE_H
#define MAILFLOW_BASE_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mesh_key.h"
#include "base/text.h"

enum { SIGNATURE_DIGEST_SIZE = 32 };

void signature_format(const struct mesh_key *key, const uint8_t digest[SIGNATURE_DIGEST_SIZE],
                      struct text *out);

// What a signature claims, and the key of ours that it names.
struct signature {
    const struct mesh_key *key;
    uint8_t digest[SIGNATURE_DIGEST_SIZE];
};

// False with the reason when it is malformed or made with a key that is not ours.
bool signature_parse(const char *value, const struct mesh_keys *keys, struct signature *out,
                     struct error *error);

// Constant-time.
bool signature_matches(const struct signature *signature,
                       const uint8_t digest[SIGNATURE_DIGEST_SIZE], struct error *error);

// The signature over "word", newline, bytes; and whether a key of ours made it.
void signature_sign_bytes(const char *word, const char *bytes, size_t count,
                          const struct mesh_key *key, struct text *out);
bool signature_verify_bytes(const char *word, const char *bytes, size_t count, const char *value,
                            const struct mesh_keys *keys, struct error *error);

#endif
