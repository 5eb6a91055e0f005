#include "probes/greet.h"

#include "probes/json_values.h"

char *greet_job_encode(const struct greet_job *job)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "number", job->number);
    json_write_integer(object, "deadline", job->deadline.ns);
    json_write_text(object, "host", job->host);
    json_write_integer(object, "port", job->port);
    json_write_boolean(object, "domain", job->domain);
    if (job->envelope.recipient[0] != '\0') {
        json_write_text(object, "ehlo", job->envelope.ehlo);
        json_write_text(object, "sender", job->envelope.sender);
        json_write_text(object, "recipient", job->envelope.recipient);
    }
    return json_line_finish(object);
}

static bool read_envelope(const json_t *object, struct greet_envelope *out, struct error *error)
{
    return json_object_get(object, "recipient") == NULL ||
           (json_read_plain(object, "ehlo", out->ehlo, sizeof out->ehlo, error) &&
            json_read_plain(object, "sender", out->sender, sizeof out->sender, error) &&
            json_read_plain(object, "recipient", out->recipient, sizeof out->recipient, error));
}

bool greet_job_decode(const char *line, size_t length, struct greet_job *out, struct error *error)
{
    int64_t port = 0;
    *out = (struct greet_job){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid = json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
                 json_read_integer(object, "deadline", 0, INT64_MAX, &out->deadline.ns, error) &&
                 json_read_plain(object, "host", out->host, sizeof out->host, error) &&
                 json_read_integer(object, "port", 1, UINT16_MAX, &port, error) &&
                 json_read_boolean(object, "domain", &out->domain, error) &&
                 read_envelope(object, &out->envelope, error);
    out->port = (uint16_t)port;
    json_decref(object);
    return valid;
}

char *greet_outcome_encode(const struct greet_outcome *outcome)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "number", outcome->number);
    json_write_boolean(object, "greeted", outcome->greeted);
    json_write_text(object, "server", outcome->server);
    json_write_text(object, "cause", outcome->cause);
    json_write_text(object, "refusal", outcome->refusal);
    return json_line_finish(object);
}

bool greet_outcome_decode(const char *line, size_t length, struct greet_outcome *out,
                          struct error *error)
{
    *out = (struct greet_outcome){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid = json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
                 json_read_boolean(object, "greeted", &out->greeted, error) &&
                 json_read_text(object, "server", out->server, sizeof out->server, error) &&
                 json_read_text(object, "cause", out->cause, sizeof out->cause, error) &&
                 json_read_text(object, "refusal", out->refusal, sizeof out->refusal, error);
    json_decref(object);
    return valid;
}
