#include "base/tag_codec.h"

#include <ctype.h>
#include <inttypes.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdlib.h>
#include <string.h>

#include "base/field.h"
#include "base/number.h"
#include "base/signature.h"

enum { MAC_SIZE = 12, MAC_TEXT = 20 };

static const char *const KIND_NAMES[] = {"slot", "announce", "answer", "fresh", "hand"};
static const size_t KIND_COUNT = sizeof KIND_NAMES / sizeof KIND_NAMES[0];

static const char *const HEADER_NAMES[TAG_HEADERS] = {
    "Mailflow-Probe", "Mailflow-Maintenance", "Mailflow-Receipts",
    "Mailflow-Row",   "Mailflow-Signature",
};

bool server_name_valid(const char *name)
{
    return text_is_name(name, SERVER_NAME_SIZE);
}

const char *probe_kind_name(enum probe_kind kind)
{
    return KIND_NAMES[kind];
}

bool probe_kind_parse(const char *name, enum probe_kind *out)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(name, KIND_NAMES[i]) == 0) {
            *out = (enum probe_kind)i;
            return true;
        }
    }
    return false;
}

const char *tag_header_name(enum tag_header header)
{
    return HEADER_NAMES[header];
}

void tag_format_probe(const struct tag *tag, struct text *out)
{
    char id[PROBE_ID_TEXT];
    text_format(out,
                "v=1; from=%s; to=%s; kind=%s; slot=%" PRId64 "; prev=%" PRId64 "; sent=%" PRId64
                "; err=%" PRId64 "; next=%.3f; drain=%.0f; id=%s",
                tag->from, tag->to, probe_kind_name(tag->kind), tag->slot, tag->previous,
                walltime_microseconds(tag->sent), tag->error.ns / 1000, span_seconds(tag->next),
                span_seconds(tag->drain), probe_id_format(&tag->id, id));
}

// "60", "60.125": at most a year, to the millisecond.
static bool parse_seconds(const char *text, struct span *out)
{
    char *end;
    if (!isdigit((unsigned char)*text) || strspn(text, "0123456789.") != strlen(text)) {
        return false;
    }
    double seconds = strtod(text, &end);
    if (*end != '\0' || seconds > 366.0 * 86400) {
        return false;
    }
    *out = (struct span){(int64_t)(seconds * 1000 + 0.5) * 1000000};
    return true;
}

static bool parse_name(const char *text, char out[SERVER_NAME_SIZE])
{
    return server_name_valid(text) && text_copy(out, SERVER_NAME_SIZE, text);
}

bool tag_parse_probe(const char *value, struct tag *out, struct error *error)
{
    char field[FIELD_SIZE];
    int64_t number;
    *out = (struct tag){0};
    if (!field_find(value, "v", field) || strcmp(field, "1") != 0) {
        return error_set(error, "not a tag of version 1");
    }
    if (!field_find(value, "from", field) || !parse_name(field, out->from)) {
        return error_set(error, "tag without a valid from=");
    }
    if (!field_find(value, "to", field) || !parse_name(field, out->to)) {
        return error_set(error, "tag without a valid to=");
    }
    if (!field_find(value, "kind", field) || !probe_kind_parse(field, &out->kind)) {
        return error_set(error, "tag without a known kind=");
    }
    if (!field_find(value, "slot", field) || !number_parse(field, 0, INT64_MAX, &out->slot)) {
        return error_set(error, "tag without a valid slot=");
    }
    if (!field_find(value, "prev", field) || !number_parse(field, 0, INT64_MAX, &out->previous)) {
        return error_set(error, "tag without a valid prev=");
    }
    if (!field_find(value, "sent", field) || !number_parse(field, 0, INT64_MAX / 1000, &number)) {
        return error_set(error, "tag without a valid sent=");
    }
    out->sent = walltime_from_microseconds(number);
    if (!field_find(value, "err", field) || !number_parse(field, 0, INT64_MAX / 1000, &number)) {
        return error_set(error, "tag without a valid err=");
    }
    out->error = (struct span){number * 1000};
    if (!field_find(value, "next", field) || !parse_seconds(field, &out->next)) {
        return error_set(error, "tag without a valid next=");
    }
    if (!field_find(value, "drain", field) || !parse_seconds(field, &out->drain)) {
        return error_set(error, "tag without a valid drain=");
    }
    if (!field_find(value, "id", field) || !probe_id_parse(field, &out->id)) {
        return error_set(error, "tag without a valid id=");
    }
    return true;
}

static void hash_text(struct hmac_sha256_ctx *hash, const char *text, size_t length)
{
    hmac_sha256_update(hash, length, (const uint8_t *)text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// One header in canonical form, see tag_codec.h.
static void hash_header(struct hmac_sha256_ctx *hash, const char *name, const char *value)
{
    for (; *name != '\0'; name++) {
        char lower = (char)tolower((unsigned char)*name);
        hash_text(hash, &lower, 1);
    }
    hash_text(hash, ":", 1);
    for (bool first = true; *value != '\0'; first = false) {
        size_t blanks = 0;
        while (is_blank(value[blanks])) {
            blanks++;
        }
        value += blanks;
        size_t word = 0;
        while (value[word] != '\0' && !is_blank(value[word])) {
            word++;
        }
        if (word > 0 && blanks > 0 && !first) {
            hash_text(hash, " ", 1);
        }
        hash_text(hash, value, word);
        value += word;
    }
    hash_text(hash, "\n", 1);
}

static void sign_values(const struct tag_values *values, const struct mesh_key *key,
                        uint8_t digest[SIGNATURE_DIGEST_SIZE])
{
    struct hmac_sha256_ctx hash;
    hmac_sha256_set_key(&hash, key->secret_length, key->secret);
    for (int i = 0; i < TAG_SIGNATURE; i++) {
        if (values->of[i] != NULL) {
            hash_header(&hash, HEADER_NAMES[i], values->of[i]);
        }
    }
    hmac_sha256_digest(&hash, SIGNATURE_DIGEST_SIZE, digest);
}

void tag_sign(const struct tag_values *values, const struct mesh_key *key, struct text *out)
{
    uint8_t digest[SIGNATURE_DIGEST_SIZE];
    sign_values(values, key, digest);
    signature_format(key, digest, out);
}

bool tag_verify(const struct tag_values *values, const struct mesh_keys *keys, struct error *error)
{
    struct signature signature;
    uint8_t digest[SIGNATURE_DIGEST_SIZE];
    if (values->of[TAG_PROBE] == NULL || values->of[TAG_SIGNATURE] == NULL) {
        return error_set(error, "not signed");
    }
    if (!signature_parse(values->of[TAG_SIGNATURE], keys, &signature, error)) {
        return false;
    }
    sign_values(values, signature.key, digest);
    return signature_matches(&signature, digest, error);
}

// The MAC over what stands between '<' and the last dot of the Message-ID.
static void message_id_mac(const char *text, size_t length, const struct mesh_key *key,
                           uint8_t mac[MAC_SIZE])
{
    struct hmac_sha256_ctx hash;
    hmac_sha256_set_key(&hash, key->secret_length, key->secret);
    hash_text(&hash, "message-id:", 11);
    hash_text(&hash, text, length);
    hmac_sha256_digest(&hash, MAC_SIZE, mac);
}

void tag_format_message_id(const struct tag *tag, const struct mesh_key *key, const char *domain,
                           struct text *out)
{
    char id[PROBE_ID_TEXT], signed_part[200], mac_text[MAC_TEXT + 8];
    uint8_t mac[MAC_SIZE];
    struct text part = TEXT_OVER(signed_part);
    text_format(&part, "%s.%s.%s.%" PRId64 ".%" PRId64, probe_id_format(&tag->id, id), tag->from,
                tag->to, tag->slot, walltime_microseconds(tag->sent));
    message_id_mac(part.data, part.length, key, mac);
    base32_encode(mac, sizeof mac, mac_text);
    text_format(out, "<%s.%s@%s>", signed_part, mac_text, domain);
}

// Copies up to the next dot and moves past it.
static bool next_part(const char **at, const char *end, char out[FIELD_SIZE])
{
    const char *dot = memchr(*at, '.', (size_t)(end - *at));
    size_t length = (size_t)((dot == NULL ? end : dot) - *at);
    if (length == 0 || length >= FIELD_SIZE) {
        return false;
    }
    memcpy(out, *at, length);
    out[length] = '\0';
    *at = dot == NULL ? end : dot + 1;
    return true;
}

static bool parse_message_id_parts(const char *at, const char *end, struct tag *out)
{
    char field[FIELD_SIZE];
    int64_t sent_us;
    bool valid = next_part(&at, end, field) && probe_id_parse(field, &out->id) &&
                 next_part(&at, end, field) && parse_name(field, out->from) &&
                 next_part(&at, end, field) && parse_name(field, out->to) &&
                 next_part(&at, end, field) && number_parse(field, 0, INT64_MAX, &out->slot) &&
                 next_part(&at, end, field) && number_parse(field, 0, INT64_MAX / 1000, &sent_us);
    if (!valid || at != end) {
        return false;
    }
    out->sent = walltime_from_microseconds(sent_us);
    out->kind = out->slot > 0 ? PROBE_SLOT : PROBE_HAND;
    return true;
}

// Whether "@domain>" and nothing more stands there.
static bool ends_message_id(const char *at)
{
    size_t length = strcspn(at + 1, "<> \t\r\n");
    return length > 0 && strcmp(at + 1 + length, ">") == 0;
}

bool tag_parse_message_id(const char *value, const struct mesh_keys *keys, struct tag *out,
                          struct error *error)
{
    error->message[0] = '\0';
    *out = (struct tag){0};
    size_t length = strcspn(value, "@");
    uint8_t claimed[MAC_SIZE], mac[MAC_SIZE];
    if (value[0] != '<' || value[length] != '@' || !ends_message_id(value + length) ||
        length < MAC_TEXT + 2 || length > 240 || value[length - MAC_TEXT - 1] != '.' ||
        !base32_decode(value + length - MAC_TEXT, MAC_TEXT, claimed, sizeof claimed) ||
        !parse_message_id_parts(value + 1, value + length - MAC_TEXT - 1, out)) {
        return false;
    }
    for (size_t i = 0; i < keys->count; i++) {
        message_id_mac(value + 1, length - MAC_TEXT - 2, &keys->keys[i], mac);
        if (memeql_sec(mac, claimed, sizeof mac)) {
            return true;
        }
    }
    return error_set(error, "the MAC of the Message-ID does not match");
}
