#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "probes/json_values.h"
#include "probes/probe.h"

static const char *const RESULT_NAMES[] = {"content", "accepted", "refused", "uncertain"};
static const char *const CLASS_NAMES[] = {"2xx",     "4xx", "5xx", "timeout",
                                          "connect", "tls", "dns", "local"};
static const char *const LEG_NAMES[] = {"dns", "connect", "tls", "auth", "submit"};
static const size_t RESULT_COUNT = sizeof RESULT_NAMES / sizeof RESULT_NAMES[0];

const char *reply_class_name(enum reply_class of)
{
    return CLASS_NAMES[of];
}

const char *submit_leg_name(enum submit_leg leg)
{
    return LEG_NAMES[leg];
}

char *submit_job_encode(const struct submit_job *job)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "number", job->number);
    json_write_integer(object, "deadline", job->deadline.ns);
    json_write_endpoint(object, "relay", &job->relay);
    json_write_text(object, "ehlo", job->ehlo);
    json_write_text(object, "sender", job->sender);
    json_write_text(object, "recipient", job->recipient);
    json_write_tag(object, "tag", &job->tag);
    json_write_text(object, "maintenance", job->maintenance);
    json_write_text(object, "receipts", job->receipts);
    json_write_text(object, "row", job->row);
    json_write_key(object, "key", &job->key);
    return json_line_finish(object);
}

// Text that will stand in an SMTP command: nothing in it may end the word.
static bool read_word(const json_t *object, const char *name, char *out, size_t size,
                      struct error *error)
{
    if (!json_read_text(object, name, out, size, error)) {
        return false;
    }
    for (const char *at = out; *at != '\0'; at++) {
        if (!isgraph((unsigned char)*at) || *at == '<' || *at == '>') {
            return error_set(error, "\"%s\" has a byte in it that SMTP does not bear", name);
        }
    }
    return out[0] != '\0' || error_set(error, "\"%s\" is empty", name);
}

static bool read_address(const json_t *object, const char *name, char out[PROBE_ADDRESS_SIZE],
                         struct error *error)
{
    if (!read_word(object, name, out, PROBE_ADDRESS_SIZE, error)) {
        return false;
    }
    const char *at = strrchr(out, '@');
    return (at != NULL && at != out && at[1] != '\0') ||
           error_set(error, "\"%s\" is not an address", name);
}

bool submit_job_decode(const char *line, size_t length, struct submit_job *out, struct error *error)
{
    *out = (struct submit_job){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid =
        json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
        json_read_integer(object, "deadline", 0, INT64_MAX, &out->deadline.ns, error) &&
        json_read_endpoint(object, "relay", &out->relay, error) &&
        read_word(object, "ehlo", out->ehlo, sizeof out->ehlo, error) &&
        read_address(object, "sender", out->sender, error) &&
        read_address(object, "recipient", out->recipient, error) &&
        json_read_tag(object, "tag", &out->tag, error) &&
        json_read_plain(object, "maintenance", out->maintenance, sizeof out->maintenance, error) &&
        json_read_plain(object, "receipts", out->receipts, sizeof out->receipts, error) &&
        json_read_plain(object, "row", out->row, sizeof out->row, error) &&
        json_read_key(object, "key", &out->key, error);
    json_decref(object);
    return valid;
}

char *submit_outcome_encode(const struct submit_outcome *outcome)
{
    json_t *object = memory_checked(json_object());
    json_t *legs = memory_checked(json_object());
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        json_write_integer(legs, LEG_NAMES[i], outcome->legs[i].ns);
    }
    json_write_integer(object, "number", outcome->number);
    json_write_text(object, "result", RESULT_NAMES[outcome->result]);
    json_write_text(object, "class", CLASS_NAMES[outcome->reply_class]);
    json_write_integer(object, "code", outcome->code);
    json_write_text(object, "reply", outcome->reply);
    json_write_text(object, "cause", outcome->cause);
    json_write_boolean(object, "token_refused", outcome->token_refused);
    json_write_text(object, "queue_id", outcome->queue_id);
    json_write_moment(object, "sent", outcome->sent);
    json_write_moment(object, "accepted", outcome->accepted);
    json_write_object(object, "legs", legs);
    json_write_certificate(object, "certificate", &outcome->certificate);
    json_write_text(object, "transcript", outcome->transcript);
    return json_line_finish(object);
}

static bool read_verdict(const json_t *object, struct submit_outcome *out, struct error *error)
{
    int result, reply_class;
    int64_t code;
    if (!json_read_choice(object, "result", RESULT_NAMES, RESULT_COUNT, &result, error) ||
        !json_read_choice(object, "class", CLASS_NAMES, REPLY_CLASSES, &reply_class, error) ||
        !json_read_integer(object, "code", 0, 999, &code, error)) {
        return false;
    }
    out->result = (enum submit_result)result;
    out->reply_class = (enum reply_class)reply_class;
    out->code = (int)code;
    return true;
}

static bool read_legs(const json_t *object, struct submit_outcome *out, struct error *error)
{
    const json_t *legs;
    if (!json_read_object(object, "legs", &legs, error)) {
        return false;
    }
    for (int i = 0; i < SUBMIT_LEGS; i++) {
        if (!json_read_span(legs, LEG_NAMES[i], &out->legs[i], error)) {
            return error_prefix(error, "\"legs\"");
        }
    }
    return true;
}

bool submit_outcome_decode(const char *line, size_t length, struct submit_outcome *out,
                           struct error *error)
{
    *out = (struct submit_outcome){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid =
        json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
        read_verdict(object, out, error) &&
        json_read_text(object, "reply", out->reply, sizeof out->reply, error) &&
        json_read_text(object, "cause", out->cause, sizeof out->cause, error) &&
        json_read_boolean(object, "token_refused", &out->token_refused, error) &&
        json_read_text(object, "queue_id", out->queue_id, sizeof out->queue_id, error) &&
        json_read_moment(object, "sent", &out->sent, error) &&
        json_read_moment(object, "accepted", &out->accepted, error) &&
        read_legs(object, out, error) &&
        json_read_certificate(object, "certificate", &out->certificate, error) &&
        json_read_text(object, "transcript", out->transcript, sizeof out->transcript, error);
    json_decref(object);
    return valid;
}
