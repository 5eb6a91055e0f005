#include "ctl/mesh_token.h"

#include <nettle/base64.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <string.h>

#include "base/signature.h"
#include "config/syntax.h"

static const char PREFIX[] = "mf1.";
static const char PURPOSE[] = "mailflow-token";

enum {
    CHECKSUM_BYTES = 4,
    CHECKSUM_TEXT = 2 * CHECKSUM_BYTES,
    // What of the body becomes the longest token: base64 makes 4 bytes of 3.
    BODY_SIZE = (MESH_TOKEN_SIZE - 32) / 4 * 3,
    SECRET_TEXT_SIZE = BASE64_ENCODE_RAW_LENGTH(MESH_KEY_SECRET_MAXIMUM) + 1,
};

static void append_checksum(const char *bytes, size_t count, struct text *out)
{
    struct sha256_ctx hash;
    uint8_t digest[CHECKSUM_BYTES];
    sha256_init(&hash);
    sha256_update(&hash, count, (const uint8_t *)bytes);
    sha256_digest(&hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        text_format(out, "%02x", digest[i]);
    }
}

static bool fill_server(const char *name, const char *address, const char *agent,
                        struct mesh_server *out)
{
    return server_name_valid(name) && syntax_address(address) &&
           (agent[0] == '\0' || syntax_url(agent)) &&
           text_copy(out->name, sizeof out->name, name) &&
           text_copy(out->address, sizeof out->address, address) &&
           text_copy(out->agent, sizeof out->agent, agent);
}

bool mesh_server_parse(const char *from, struct mesh_server *out)
{
    char copy[sizeof *out + 4];
    if (!text_copy(copy, sizeof copy, from)) {
        return false;
    }
    char *address = strchr(copy, '=');
    if (address == NULL) {
        return false;
    }
    *address++ = '\0';
    char *agent = strchr(address, '=');
    if (agent != NULL) {
        *agent++ = '\0';
    }
    return (agent == NULL || agent[0] != '\0') &&
           fill_server(copy, address, agent == NULL ? "" : agent, out);
}

// ---- composing ----

static void append_key(const struct mesh_key *key, bool invite, struct text *out)
{
    char secret[SECRET_TEXT_SIZE] = "-";
    if (invite) {
        size_t length = BASE64_ENCODE_RAW_LENGTH(key->secret_length);
        base64_encode_raw(secret, key->secret_length, key->secret);
        secret[length] = '\0';
    }
    text_format(out, "%s %s\n", key->id, secret);
    explicit_bzero(secret, sizeof secret);
}

// False, with nothing appended, when less than the room to be kept would be left.
static bool append_server(const struct mesh_server *server, size_t kept, struct text *out)
{
    size_t before = out->length;
    text_format(out, "%s %s %s\n", server->name, server->address,
                server->agent[0] == '\0' ? "-" : server->agent);
    if (!out->truncated && out->length + kept < out->size) {
        return true;
    }
    out->length = before;
    out->data[before] = '\0';
    out->truncated = false;
    return false;
}

static void append_encoded(const char *body, size_t length, struct text *out)
{
    struct base64_encode_ctx encoder;
    char encoded[BASE64_ENCODE_LENGTH(BODY_SIZE) + BASE64_ENCODE_FINAL_LENGTH];
    base64url_encode_init(&encoder);
    size_t size = base64_encode_update(&encoder, encoded, length, (const uint8_t *)body);
    size += base64_encode_final(&encoder, encoded + size);
    while (encoded[size - 1] == '=') {
        size--;
    }
    text_append_bytes(out, encoded, size);
    explicit_bzero(encoded, sizeof encoded);
}

size_t mesh_token_encode(const struct mesh_token *token, bool invite, struct text *out)
{
    char body[BODY_SIZE];
    struct text text = TEXT_OVER(body);
    char signature[TAG_SIGNATURE_SIZE];
    struct text signed_by = TEXT_OVER(signature);
    size_t begin = out->length;
    size_t count = 0;
    append_key(&token->key, invite, &text);
    while (count < token->server_count &&
           append_server(&token->servers[count], sizeof signature, &text)) {
        count++;
    }
    signature_sign_bytes(PURPOSE, text.data, text.length, &token->key, &signed_by);
    text_append(&text, signature);
    text_append(out, PREFIX);
    append_encoded(text.data, text.length, out);
    size_t end = out->length;
    text_append(out, ".");
    append_checksum(out->data + begin, end - begin, out);
    explicit_bzero(body, sizeof body);
    return count;
}

// ---- reading ----

// Version and checksum; the length of what stands before the checksum.
static bool check_form(const char *from, size_t *length, struct error *error)
{
    char wanted[CHECKSUM_TEXT + 1];
    struct text checksum = TEXT_OVER(wanted);
    size_t digits = strncmp(from, "mf", 2) == 0 ? strspn(from + 2, "0123456789") : 0;
    if (digits == 0 || from[2 + digits] != '.') {
        return error_set(error, "that is no token: one begins with %s", PREFIX);
    }
    if (strncmp(from, PREFIX, strlen(PREFIX)) != 0) {
        return error_set(error,
                         "the token is of version %.*s, and this mailflow reads version 1: "
                         "install the same mailflow on both servers",
                         (int)(digits < 9 ? digits : 9), from + 2);
    }
    const char *dot = strrchr(from, '.');
    *length = (size_t)(dot - from);
    append_checksum(from, *length, &checksum);
    return (*length >= strlen(PREFIX) && strcmp(dot + 1, wanted) == 0) ||
           error_set(error, "the token is damaged: copy the whole line, and nothing else");
}

// The body of at most BODY_SIZE - 1 bytes, with a NUL behind it.
static bool decode_body(const char *from, size_t length, char body[BODY_SIZE])
{
    struct base64_decode_ctx decoder;
    size_t size = 0;
    if (BASE64_DECODE_LENGTH(length) >= BODY_SIZE || length % 4 == 1) {
        return false;
    }
    base64url_decode_init(&decoder);
    if (!base64_decode_update(&decoder, &size, (uint8_t *)body, length, from) ||
        !base64_decode_update(&decoder, &(size_t){0}, (uint8_t *)body + size, (4 - length % 4) % 4,
                              "==") ||
        !base64_decode_final(&decoder)) {
        return false;
    }
    body[size] = '\0';
    return strlen(body) == size;
}

static bool decode_secret(const char *from, struct mesh_key *out)
{
    struct base64_decode_ctx decoder;
    uint8_t bytes[BASE64_DECODE_LENGTH(SECRET_TEXT_SIZE)];
    size_t size = 0;
    if (strcmp(from, "-") == 0) {
        return true;
    }
    base64_decode_init(&decoder);
    bool good = strlen(from) < SECRET_TEXT_SIZE &&
                base64_decode_update(&decoder, &size, bytes, strlen(from), from) &&
                base64_decode_final(&decoder) && size >= MESH_KEY_SECRET_MINIMUM &&
                size <= MESH_KEY_SECRET_MAXIMUM;
    if (good) {
        memcpy(out->secret, bytes, size);
        out->secret_length = size;
    }
    explicit_bzero(bytes, sizeof bytes);
    return good;
}

static bool read_key(char *line, struct mesh_key *out)
{
    char *rest = NULL;
    const char *id = strtok_r(line, " ", &rest);
    const char *secret = strtok_r(NULL, " ", &rest);
    return id != NULL && secret != NULL && strtok_r(NULL, " ", &rest) == NULL &&
           syntax_key_id(id) && text_copy(out->id, sizeof out->id, id) &&
           decode_secret(secret, out);
}

static bool read_server(char *line, struct mesh_server *out)
{
    char *rest = NULL;
    const char *name = strtok_r(line, " ", &rest);
    const char *address = strtok_r(NULL, " ", &rest);
    const char *agent = strtok_r(NULL, " ", &rest);
    if (agent == NULL || strtok_r(NULL, " ", &rest) != NULL) {
        return false;
    }
    return fill_server(name, address, strcmp(agent, "-") == 0 ? "" : agent, out);
}

// Every line but the last, which is the signature.
static bool read_lines(char *body, const char *signature, struct mesh_token *out)
{
    char *line = body;
    for (char *end; line < signature; line = end + 1) {
        end = strchr(line, '\n');
        *end = '\0';
        if (line == body) {
            if (!read_key(line, &out->key)) {
                return false;
            }
        } else if (out->server_count == MESH_TOKEN_SERVERS_MAXIMUM ||
                   !read_server(line, &out->servers[out->server_count++])) {
            return false;
        }
    }
    return out->server_count > 0;
}

static const struct mesh_key *find_key(const struct mesh_keys *keys, const char *id)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->keys[i].id, id) == 0) {
            return &keys->keys[i];
        }
    }
    return NULL;
}

static bool is_same_key(const struct mesh_key *a, const struct mesh_key *b)
{
    return a->secret_length == b->secret_length &&
           memeql_sec(a->secret, b->secret, a->secret_length);
}

// Whether the key that the token is signed with is one that we should believe; NULL when not.
static const struct mesh_key *choose_key(const struct mesh_token *token,
                                         const struct mesh_keys *ours, struct error *error)
{
    const struct mesh_key *known = find_key(ours, token->key.id);
    if (token->key.secret_length == 0 && ours->count == 0) {
        error_set(error, "this token carries no mesh key: it tells servers that are in the mesh "
                         "already of a new one. To join, take the line that `mailflowctl invite` "
                         "prints there");
        return NULL;
    }
    bool foreign =
        ours->count > 0 &&
        (known == NULL || (token->key.secret_length > 0 && !is_same_key(known, &token->key)));
    if (foreign) {
        error_set(error, "the token is of another mesh: its key '%s' is not this server's",
                  token->key.id);
        return NULL;
    }
    return token->key.secret_length > 0 ? &token->key : known;
}

static bool verify(const char *body, size_t length, const char *signature,
                   const struct mesh_token *token, const struct mesh_keys *ours,
                   struct error *error)
{
    struct error unused;
    const struct mesh_key *key = choose_key(token, ours, error);
    if (key == NULL) {
        return false;
    }
    struct mesh_keys keys = {.keys = {*key}, .count = 1};
    bool good = signature_verify_bytes(PURPOSE, body, length, signature, &keys, &unused);
    explicit_bzero(&keys, sizeof keys);
    return good || error_set(error,
                             "the token was altered, or is of another mesh: it is not "
                             "signed with the key '%s' of this one",
                             token->key.id);
}

bool mesh_token_decode(const char *from, const struct mesh_keys *ours, struct mesh_token *out,
                       struct error *error)
{
    char body[BODY_SIZE], lines[BODY_SIZE];
    size_t length = 0;
    *out = (struct mesh_token){0};
    if (!check_form(from, &length, error)) {
        return false;
    }
    bool good = decode_body(from + strlen(PREFIX), length - strlen(PREFIX), body);
    char *last = good ? strrchr(body, '\n') : NULL;
    if (last != NULL) {
        memcpy(lines, body, sizeof lines);
        good = read_lines(lines, lines + (last + 1 - body), out);
    }
    if (!good || last == NULL) {
        error_set(error, "the token is malformed: have it printed anew");
        good = false;
    } else {
        good = verify(body, (size_t)(last + 1 - body), last + 1, out, ours, error);
    }
    explicit_bzero(body, sizeof body);
    explicit_bzero(lines, sizeof lines);
    return good;
}
