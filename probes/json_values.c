#include "probes/json_values.h"

#include <ctype.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "probes/oauth.h"

enum { SECRET_TEXT = BASE64_ENCODE_RAW_LENGTH(MESH_KEY_SECRET_MAXIMUM) + 1 };

static const char *const TLS_NAMES[] = {"none", "starttls", "implicit"};
static const char *const OAUTH_NAMES[] = {"none", "auto", "xoauth2", "oauthbearer"};
static const size_t OAUTH_COUNT = sizeof OAUTH_NAMES / sizeof OAUTH_NAMES[0];
static const size_t TLS_COUNT = sizeof TLS_NAMES / sizeof TLS_NAMES[0];

void json_write_object(json_t *object, const char *name, json_t *member)
{
    memory_checked(member);
    memory_checked(json_object_set_new(object, name, member) == 0 ? object : NULL);
}

// The text with question marks for whatever is not ASCII: as long as before, so that it still fits
// where it is read.
static json_t *text_without_encoding(const char *value)
{
    char *plain = memory_checked(strdup(value));
    for (char *at = plain; *at != '\0'; at++) {
        *at = isascii((unsigned char)*at) ? *at : '?';
    }
    json_t *text = json_string(plain);
    free(plain);
    return text;
}

void json_write_text(json_t *object, const char *name, const char *value)
{
    json_t *text = json_string(value);
    json_write_object(object, name, text != NULL ? text : text_without_encoding(value));
}

void json_write_integer(json_t *object, const char *name, int64_t value)
{
    json_write_object(object, name, json_integer(value));
}

void json_write_boolean(json_t *object, const char *name, bool value)
{
    json_write_object(object, name, json_boolean(value));
}

void json_write_moment(json_t *object, const char *name, struct moment value)
{
    json_t *member = memory_checked(json_object());
    json_write_integer(member, "instant", value.instant.ns);
    json_write_integer(member, "wall", value.wall.ns);
    json_write_object(object, name, member);
}

void json_write_tag(json_t *object, const char *name, const struct tag *tag)
{
    char id[PROBE_ID_TEXT];
    json_t *member = memory_checked(json_object());
    json_write_text(member, "from", tag->from);
    json_write_text(member, "to", tag->to);
    json_write_text(member, "kind", probe_kind_name(tag->kind));
    json_write_integer(member, "slot", tag->slot);
    json_write_integer(member, "previous", tag->previous);
    json_write_integer(member, "sent", tag->sent.ns);
    json_write_integer(member, "error", tag->error.ns);
    json_write_integer(member, "next", tag->next.ns);
    json_write_integer(member, "drain", tag->drain.ns);
    json_write_text(member, "id", probe_id_format(&tag->id, id));
    json_write_object(object, name, member);
}

static json_t *key_to_json(const struct mesh_key *key)
{
    char secret[SECRET_TEXT] = "";
    json_t *member = memory_checked(json_object());
    base64_encode_raw(secret, key->secret_length, key->secret);
    json_write_text(member, "id", key->id);
    json_write_text(member, "secret", secret);
    return member;
}

void json_write_key(json_t *object, const char *name, const struct mesh_key *key)
{
    json_write_object(object, name, key_to_json(key));
}

void json_write_keys(json_t *object, const char *name, const struct mesh_keys *keys)
{
    json_t *members = memory_checked(json_array());
    for (size_t i = 0; i < keys->count; i++) {
        memory_checked(json_array_append_new(members, key_to_json(&keys->keys[i])) == 0 ? members
                                                                                        : NULL);
    }
    json_write_object(object, name, members);
}

void json_write_endpoint(json_t *object, const char *name, const struct probe_endpoint *endpoint)
{
    json_t *member = memory_checked(json_object());
    json_write_text(member, "host", endpoint->host);
    json_write_integer(member, "port", endpoint->port);
    json_write_text(member, "tls", TLS_NAMES[endpoint->tls]);
    json_write_text(member, "ca_file", endpoint->ca_file);
    json_write_text(member, "user", endpoint->user);
    json_write_text(member, "password", endpoint->password);
    if (endpoint->oauth != PROBE_OAUTH_NONE) {
        json_write_text(member, "oauth", OAUTH_NAMES[endpoint->oauth]);
        json_write_text(member, "token", endpoint->token);
    }
    json_write_object(object, name, member);
}

void json_write_certificate(json_t *object, const char *name, const struct certificate *value)
{
    json_t *member = value->seen ? json_object() : json_null();
    json_write_object(object, name, member);
    if (value->seen) {
        json_write_boolean(member, "verified", value->verified);
        json_write_integer(member, "expires", value->expires.ns);
        json_write_text(member, "subject", value->subject);
        json_write_text(member, "issuer", value->issuer);
        if (value->authority[0] != '\0') {
            json_write_text(member, "authority", value->authority);
        }
    }
}

char *json_line_finish(json_t *object)
{
    char *dumped = memory_checked(json_dumps(object, JSON_COMPACT));
    size_t length = strlen(dumped);
    char *line = memory_checked(realloc(dumped, length + 2));
    memcpy(line + length, "\n", 2);
    json_decref(object);
    return line;
}

bool json_read_plain(const json_t *object, const char *name, char *out, size_t size,
                     struct error *error)
{
    if (!json_read_text(object, name, out, size, error)) {
        return false;
    }
    for (const char *at = out; *at != '\0'; at++) {
        if (iscntrl((unsigned char)*at)) {
            return error_set(error, "\"%s\" has a control byte in it", name);
        }
    }
    return true;
}

bool json_read_choice(const json_t *object, const char *name, const char *const *choices,
                      size_t count, int *out, struct error *error)
{
    char value[32];
    if (!json_read_text(object, name, value, sizeof value, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(value, choices[i]) == 0) {
            *out = (int)i;
            return true;
        }
    }
    char shown[64];
    struct text text = TEXT_OVER(shown);
    text_append_value(&text, value);
    return error_set(error, "\"%s\" is %s, none of those known", name, shown);
}

bool json_read_array(const json_t *object, const char *name, size_t maximum, const json_t **out,
                     struct error *error)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_array(member)) {
        return error_set(error, "\"%s\" is %s", name, member == NULL ? "missing" : "not an array");
    }
    if (json_array_size(member) > maximum) {
        return error_set(error, "\"%s\" has %zu elements, more than %zu", name,
                         json_array_size(member), maximum);
    }
    *out = member;
    return true;
}

static bool read_nanoseconds(const json_t *object, const char *name, int64_t *out,
                             struct error *error)
{
    return json_read_integer(object, name, INT64_MIN, INT64_MAX, out, error);
}

bool json_read_moment(const json_t *object, const char *name, struct moment *out,
                      struct error *error)
{
    const json_t *member;
    if (!json_read_object(object, name, &member, error)) {
        return false;
    }
    return (read_nanoseconds(member, "instant", &out->instant.ns, error) &&
            read_nanoseconds(member, "wall", &out->wall.ns, error)) ||
           error_prefix(error, "\"%s\"", name);
}

bool json_read_span(const json_t *object, const char *name, struct span *out, struct error *error)
{
    return read_nanoseconds(object, name, &out->ns, error);
}

static bool read_server_name(const json_t *tag, const char *name, char out[SERVER_NAME_SIZE],
                             struct error *error)
{
    if (!json_read_text(tag, name, out, SERVER_NAME_SIZE, error)) {
        return false;
    }
    return server_name_valid(out) || error_set(error, "\"%s\" is not a server's name", name);
}

static bool read_kind(const json_t *tag, enum probe_kind *out, struct error *error)
{
    char name[32];
    if (!json_read_text(tag, "kind", name, sizeof name, error)) {
        return false;
    }
    return probe_kind_parse(name, out) || error_set(error, "\"kind\" is none of those known");
}

static bool read_probe_id(const json_t *tag, struct probe_id *out, struct error *error)
{
    char text[PROBE_ID_TEXT];
    if (!json_read_text(tag, "id", text, sizeof text, error)) {
        return false;
    }
    return probe_id_parse(text, out) || error_set(error, "\"id\" is not a probe's");
}

bool json_read_tag(const json_t *object, const char *name, struct tag *out, struct error *error)
{
    const json_t *tag;
    if (!json_read_object(object, name, &tag, error)) {
        return false;
    }
    return (read_server_name(tag, "from", out->from, error) &&
            read_server_name(tag, "to", out->to, error) && read_kind(tag, &out->kind, error) &&
            json_read_integer(tag, "slot", 0, INT64_MAX, &out->slot, error) &&
            json_read_integer(tag, "previous", 0, INT64_MAX, &out->previous, error) &&
            read_nanoseconds(tag, "sent", &out->sent.ns, error) &&
            json_read_span(tag, "error", &out->error, error) &&
            json_read_span(tag, "next", &out->next, error) &&
            json_read_span(tag, "drain", &out->drain, error) &&
            read_probe_id(tag, &out->id, error)) ||
           error_prefix(error, "\"%s\"", name);
}

static bool decode_secret(const char *text, struct mesh_key *out)
{
    struct base64_decode_ctx decoder;
    uint8_t decoded[BASE64_DECODE_LENGTH(SECRET_TEXT)];
    size_t length = 0;
    base64_decode_init(&decoder);
    if (!base64_decode_update(&decoder, &length, decoded, strlen(text), text) ||
        !base64_decode_final(&decoder) || length < MESH_KEY_SECRET_MINIMUM ||
        length > MESH_KEY_SECRET_MAXIMUM) {
        return false;
    }
    memcpy(out->secret, decoded, length);
    out->secret_length = length;
    return true;
}

static bool key_from_json(const json_t *key, struct mesh_key *out, struct error *error)
{
    char secret[SECRET_TEXT];
    if (!json_read_plain(key, "id", out->id, sizeof out->id, error) ||
        !json_read_text(key, "secret", secret, sizeof secret, error)) {
        return false;
    }
    return decode_secret(secret, out) ||
           error_set(error, "\"secret\" is not base64 of %d to %d bytes", MESH_KEY_SECRET_MINIMUM,
                     MESH_KEY_SECRET_MAXIMUM);
}

bool json_read_key(const json_t *object, const char *name, struct mesh_key *out,
                   struct error *error)
{
    const json_t *key;
    if (!json_read_object(object, name, &key, error)) {
        return false;
    }
    return key_from_json(key, out, error) || error_prefix(error, "\"%s\"", name);
}

bool json_read_keys(const json_t *object, const char *name, struct mesh_keys *out,
                    struct error *error)
{
    const json_t *keys = NULL;
    if (!json_read_array(object, name, MESH_KEYS_MAXIMUM, &keys, error)) {
        return false;
    }
    out->count = json_array_size(keys);
    for (size_t i = 0; i < out->count; i++) {
        if (!key_from_json(json_array_get(keys, i), &out->keys[i], error)) {
            return error_prefix(error, "\"%s\" %zu", name, i);
        }
    }
    return true;
}

// Only where there is one.
static bool read_token(const json_t *member, struct probe_endpoint *out, struct error *error)
{
    int oauth = PROBE_OAUTH_NONE;
    if (json_object_get(member, "oauth") == NULL) {
        return true;
    }
    if (!json_read_choice(member, "oauth", OAUTH_NAMES, OAUTH_COUNT, &oauth, error) ||
        !json_read_text(member, "token", out->token, sizeof out->token, error)) {
        return false;
    }
    out->oauth = (enum probe_oauth)oauth;
    return oauth_token_valid(out->token) || error_set(error, "\"token\" is not a bearer token");
}

bool json_read_endpoint(const json_t *object, const char *name, struct probe_endpoint *out,
                        struct error *error)
{
    const json_t *member;
    int tls = 0;
    int64_t port = 0;
    if (!json_read_object(object, name, &member, error)) {
        return false;
    }
    if (!json_read_plain(member, "host", out->host, sizeof out->host, error) ||
        !json_read_integer(member, "port", 1, UINT16_MAX, &port, error) ||
        !json_read_choice(member, "tls", TLS_NAMES, TLS_COUNT, &tls, error) ||
        !json_read_plain(member, "ca_file", out->ca_file, sizeof out->ca_file, error) ||
        !json_read_plain(member, "user", out->user, sizeof out->user, error) ||
        !json_read_plain(member, "password", out->password, sizeof out->password, error) ||
        !read_token(member, out, error)) {
        return error_prefix(error, "\"%s\"", name);
    }
    // OpenSSL takes no name for any name, and one that begins with a dot for all below it.
    if (out->host[0] == '\0' || out->host[0] == '.') {
        return error_set(error, "\"%s\": \"host\" is not a host's name", name);
    }
    out->port = (uint16_t)port;
    out->tls = (enum probe_tls)tls;
    return true;
}

bool json_read_certificate(const json_t *object, const char *name, struct certificate *out,
                           struct error *error)
{
    const json_t *member;
    *out = (struct certificate){0};
    if (json_is_null(json_object_get(object, name))) {
        return true;
    }
    out->seen =
        json_read_object(object, name, &member, error) &&
        ((json_read_boolean(member, "verified", &out->verified, error) &&
          json_read_integer(member, "expires", INT64_MIN, INT64_MAX, &out->expires.ns, error) &&
          json_read_text(member, "subject", out->subject, sizeof out->subject, error) &&
          json_read_text(member, "issuer", out->issuer, sizeof out->issuer, error) &&
          (json_object_get(member, "authority") == NULL ||
           json_read_text(member, "authority", out->authority, sizeof out->authority, error))) ||
         error_prefix(error, "\"%s\"", name));
    return out->seen;
}
