#include "base/signature.h"

#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>

#include "base/field.h"

_Static_assert(SIGNATURE_DIGEST_SIZE == SHA256_DIGEST_SIZE, "a signature is an HMAC-SHA-256");

void signature_format(const struct mesh_key *key, const uint8_t digest[SIGNATURE_DIGEST_SIZE],
                      struct text *out)
{
    char encoded[BASE64_ENCODE_RAW_LENGTH(SIGNATURE_DIGEST_SIZE) + 1] = "";
    base64_encode_raw(encoded, SIGNATURE_DIGEST_SIZE, digest);
    text_format(out, "a=hmac-sha256; k=%s; b=%s", key->id, encoded);
}

static bool decode_digest(const char *text, uint8_t digest[SIGNATURE_DIGEST_SIZE])
{
    struct base64_decode_ctx decoder;
    uint8_t decoded[BASE64_DECODE_LENGTH(FIELD_SIZE)];
    size_t length = 0;
    base64_decode_init(&decoder);
    if (!base64_decode_update(&decoder, &length, decoded, strlen(text), text) ||
        !base64_decode_final(&decoder) || length != SIGNATURE_DIGEST_SIZE) {
        return false;
    }
    memcpy(digest, decoded, SIGNATURE_DIGEST_SIZE);
    return true;
}

bool signature_parse(const char *value, const struct mesh_keys *keys, struct signature *out,
                     struct error *error)
{
    char field[FIELD_SIZE], id[FIELD_SIZE];
    if (!field_find(value, "a", field) || strcmp(field, "hmac-sha256") != 0 ||
        !field_find(value, "k", id) || !field_find(value, "b", field) ||
        !decode_digest(field, out->digest)) {
        error_set(error, "the signature is malformed");
        return false;
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->keys[i].id, id) == 0) {
            out->key = &keys->keys[i];
            return true;
        }
    }
    error_set(error, "signed with a key that is not ours");
    return false;
}

bool signature_matches(const struct signature *signature,
                       const uint8_t digest[SIGNATURE_DIGEST_SIZE], struct error *error)
{
    return memeql_sec(digest, signature->digest, SIGNATURE_DIGEST_SIZE) ||
           error_set(error, "the signature does not match");
}

static void digest_bytes(const char *word, const char *bytes, size_t count,
                         const struct mesh_key *key, uint8_t digest[SIGNATURE_DIGEST_SIZE])
{
    struct hmac_sha256_ctx hash;
    hmac_sha256_set_key(&hash, key->secret_length, key->secret);
    hmac_sha256_update(&hash, strlen(word), (const uint8_t *)word);
    hmac_sha256_update(&hash, 1, (const uint8_t *)"\n");
    hmac_sha256_update(&hash, count, (const uint8_t *)bytes);
    hmac_sha256_digest(&hash, SIGNATURE_DIGEST_SIZE, digest);
}

void signature_sign_bytes(const char *word, const char *bytes, size_t count,
                          const struct mesh_key *key, struct text *out)
{
    uint8_t digest[SIGNATURE_DIGEST_SIZE];
    digest_bytes(word, bytes, count, key, digest);
    signature_format(key, digest, out);
}

bool signature_verify_bytes(const char *word, const char *bytes, size_t count, const char *value,
                            const struct mesh_keys *keys, struct error *error)
{
    struct signature signature;
    uint8_t digest[SIGNATURE_DIGEST_SIZE];
    if (value[0] == '\0') {
        return error_set(error, "not signed");
    }
    if (!signature_parse(value, keys, &signature, error)) {
        return false;
    }
    digest_bytes(word, bytes, count, signature.key, digest);
    return signature_matches(&signature, digest, error);
}
