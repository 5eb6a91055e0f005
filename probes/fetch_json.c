#include "probes/fetch.h"

#include <nettle/base64.h>
#include <string.h>

#include "probes/json_values.h"

static const char *const KIND_NAMES[] = {"exchange", "silences"};

enum { BODY_TEXT_SIZE = BASE64_ENCODE_RAW_LENGTH(FETCH_BODY_MAXIMUM) + 1 };

static void write_body(json_t *object, const struct fetch_body *body)
{
    char text[BODY_TEXT_SIZE];
    base64_encode_raw(text, body->length, (const uint8_t *)body->bytes);
    text[BASE64_ENCODE_RAW_LENGTH(body->length)] = '\0';
    json_write_text(object, "body", text);
}

static bool read_body(const json_t *object, struct fetch_body *out, struct error *error)
{
    char text[BODY_TEXT_SIZE];
    uint8_t bytes[BASE64_DECODE_LENGTH(BODY_TEXT_SIZE)];
    struct base64_decode_ctx decoder;
    if (!json_read_plain(object, "body", text, sizeof text, error)) {
        return false;
    }
    size_t length = sizeof bytes;
    base64_decode_init(&decoder);
    if (!base64_decode_update(&decoder, &length, bytes, strlen(text), text) ||
        !base64_decode_final(&decoder) || length > FETCH_BODY_MAXIMUM) {
        return error_set(error, "\"body\" is not base64 of at most %d bytes", FETCH_BODY_MAXIMUM);
    }
    memcpy(out->bytes, bytes, length);
    out->bytes[length] = '\0';
    out->length = length;
    return true;
}

char *fetch_job_encode(const struct fetch_job *job)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "number", job->number);
    json_write_text(object, "kind", KIND_NAMES[job->kind]);
    json_write_integer(object, "deadline", job->deadline.ns);
    json_write_text(object, "url", job->url);
    json_write_text(object, "ca_file", job->ca_file);
    if (job->kind == FETCH_SILENCES) {
        json_write_text(object, "matcher", job->matcher);
    } else {
        json_write_text(object, "signature", job->signature);
        write_body(object, &job->body);
    }
    return json_line_finish(object);
}

static bool read_content(const json_t *object, struct fetch_job *out, struct error *error)
{
    if (out->kind == FETCH_SILENCES) {
        return json_read_plain(object, "matcher", out->matcher, sizeof out->matcher, error);
    }
    return json_read_plain(object, "signature", out->signature, sizeof out->signature, error) &&
           read_body(object, &out->body, error);
}

bool fetch_job_decode(const char *line, size_t length, struct fetch_job *out, struct error *error)
{
    *out = (struct fetch_job){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    int kind = 0;
    bool valid = json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
                 json_read_choice(object, "kind", KIND_NAMES, 2, &kind, error);
    out->kind = (enum fetch_kind)kind;
    valid = valid &&
            json_read_integer(object, "deadline", 0, INT64_MAX, &out->deadline.ns, error) &&
            json_read_plain(object, "url", out->url, sizeof out->url, error) &&
            json_read_plain(object, "ca_file", out->ca_file, sizeof out->ca_file, error) &&
            read_content(object, out, error);
    json_decref(object);
    return valid;
}

char *fetch_outcome_encode(const struct fetch_outcome *outcome)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "number", outcome->number);
    json_write_integer(object, "status", outcome->status);
    json_write_text(object, "cause", outcome->cause);
    json_write_text(object, "signature", outcome->signature);
    write_body(object, &outcome->body);
    json_write_moment(object, "ended", outcome->ended);
    json_write_certificate(object, "certificate", &outcome->certificate);
    return json_line_finish(object);
}

bool fetch_outcome_decode(const char *line, size_t length, struct fetch_outcome *out,
                          struct error *error)
{
    int64_t status = 0;
    *out = (struct fetch_outcome){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid =
        json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
        json_read_integer(object, "status", 0, 999, &status, error) &&
        json_read_text(object, "cause", out->cause, sizeof out->cause, error) &&
        json_read_text(object, "signature", out->signature, sizeof out->signature, error) &&
        read_body(object, &out->body, error) &&
        json_read_moment(object, "ended", &out->ended, error) &&
        json_read_certificate(object, "certificate", &out->certificate, error);
    out->status = (int)status;
    json_decref(object);
    return valid;
}
