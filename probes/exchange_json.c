#include "probes/exchange.h"

#include <stdlib.h>

#include "base/json_read.h"
#include "base/random.h"
#include "base/signature.h"
#include "probes/json_values.h"

static const char SIGNED_AS[] = "exchange";

// ---- written ----

void exchange_message_compose_check(const char *from, const char *to, struct walltime time,
                                    struct exchange_message *out)
{
    *out = (struct exchange_message){.time = time, .check = true};
    text_copy(out->from, sizeof out->from, from);
    text_copy(out->to, sizeof out->to, to);
    random_bytes(&out->nonce, sizeof out->nonce);
}

static void write_nonce(json_t *object, const char *name, const struct probe_id *nonce)
{
    char text[PROBE_ID_TEXT];
    json_write_text(object, name, probe_id_format(nonce, text));
}

static void write_time(json_t *object, const char *name, struct walltime value)
{
    char text[40];
    struct text out = TEXT_OVER(text);
    walltime_append_rfc3339(value, &out);
    json_write_text(object, name, text);
}

bool exchange_message_write(const struct exchange_message *message, struct text *out)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "v", 1);
    json_write_text(object, "from", message->from);
    json_write_text(object, "to", message->to);
    write_nonce(object, "nonce", &message->nonce);
    write_time(object, "time", message->time);
    if (message->reply) {
        write_nonce(object, "in_reply_to", &message->in_reply_to);
        write_time(object, "received", message->received);
    }
    json_write_text(object, "maintenance", message->exchange.maintenance);
    json_write_text(object, "receipts", message->exchange.receipts);
    json_write_text(object, "row", message->exchange.row);
    json_write_boolean(object, "blind", message->blind);
    json_write_boolean(object, "draining", message->draining);
    json_write_boolean(object, "isolated", message->exchange.isolated);
    if (message->check) {
        json_write_boolean(object, "check", true);
    }
    char *text = memory_checked(json_dumps(object, JSON_COMPACT));
    text_append(out, text);
    free(text);
    json_decref(object);
    return !out->truncated;
}

void exchange_message_sign(const char *bytes, size_t length, const struct mesh_key *key,
                           struct text *out)
{
    signature_sign_bytes(SIGNED_AS, bytes, length, key, out);
}

// ---- read ----

bool exchange_message_verify(const char *bytes, size_t length, const char *signature,
                             const struct mesh_keys *keys, struct error *error)
{
    return signature_verify_bytes(SIGNED_AS, bytes, length, signature, keys, error);
}

static bool read_server(const json_t *object, const char *name, char out[SERVER_NAME_SIZE],
                        struct error *error)
{
    return json_read_plain(object, name, out, SERVER_NAME_SIZE, error) &&
           (server_name_valid(out) || error_set(error, "\"%s\" is no server's name", name));
}

static bool read_nonce(const json_t *object, const char *name, struct probe_id *out,
                       struct error *error)
{
    char text[PROBE_ID_TEXT];
    return json_read_plain(object, name, text, sizeof text, error) &&
           (probe_id_parse(text, out) ||
            error_set(error, "\"%s\" is not 26 characters of base32", name));
}

static bool read_time(const json_t *object, const char *name, struct walltime *out,
                      struct error *error)
{
    char text[40];
    return json_read_plain(object, name, text, sizeof text, error) &&
           (walltime_parse_rfc3339(text, out) || error_set(error, "\"%s\" is no time", name));
}

// Absent from what older agents say, and "check" from what is an exchange.
static bool read_optional(const json_t *object, const char *name, bool *out, struct error *error)
{
    return json_object_get(object, name) == NULL || json_read_boolean(object, name, out, error);
}

static bool read_request(const json_t *object, struct exchange_message *out, struct error *error)
{
    int64_t version;
    struct exchange *exchange = &out->exchange;
    return json_read_integer(object, "v", 1, 1, &version, error) &&
           read_server(object, "from", out->from, error) &&
           read_server(object, "to", out->to, error) &&
           read_nonce(object, "nonce", &out->nonce, error) &&
           read_time(object, "time", &out->time, error) &&
           json_read_plain(object, "maintenance", exchange->maintenance,
                           sizeof exchange->maintenance, error) &&
           json_read_plain(object, "receipts", exchange->receipts, sizeof exchange->receipts,
                           error) &&
           json_read_plain(object, "row", exchange->row, sizeof exchange->row, error) &&
           json_read_boolean(object, "blind", &out->blind, error) &&
           json_read_boolean(object, "draining", &out->draining, error) &&
           read_optional(object, "isolated", &exchange->isolated, error) &&
           read_optional(object, "check", &out->check, error);
}

static bool read_reply(const json_t *object, struct exchange_message *out, struct error *error)
{
    return read_nonce(object, "in_reply_to", &out->in_reply_to, error) &&
           read_time(object, "received", &out->received, error);
}

bool exchange_message_read(const char *bytes, size_t length, bool reply,
                           struct exchange_message *out, struct error *error)
{
    *out = (struct exchange_message){.reply = reply};
    json_t *object = json_read_bytes(bytes, length, EXCHANGE_BODY_MAXIMUM, error);
    if (object == NULL) {
        return false;
    }
    bool valid = read_request(object, out, error) && (!reply || read_reply(object, out, error));
    json_decref(object);
    return valid;
}
