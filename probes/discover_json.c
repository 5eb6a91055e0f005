#include "probes/discover.h"

#include "probes/json_values.h"

static const char *const KINDS[] = {"server", "done", "failed"};

char *discover_job_encode(const struct discover_job *job)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "number", job->number);
    json_write_integer(object, "deadline", job->deadline.ns);
    json_write_text(object, "name", job->name);
    return json_line_finish(object);
}

bool discover_job_decode(const char *line, size_t length, struct discover_job *out,
                         struct error *error)
{
    *out = (struct discover_job){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid = json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
                 json_read_integer(object, "deadline", 0, INT64_MAX, &out->deadline.ns, error) &&
                 json_read_plain(object, "name", out->name, sizeof out->name, error);
    json_decref(object);
    return valid;
}

char *discover_line_encode(const struct discover_line *line)
{
    json_t *object = memory_checked(json_object());
    json_write_integer(object, "number", line->number);
    json_write_text(object, "kind", KINDS[line->kind]);
    json_write_text(object, "host", line->host);
    json_write_integer(object, "port", line->port);
    json_write_text(object, "cause", line->cause);
    return json_line_finish(object);
}

bool discover_line_decode(const char *line, size_t length, struct discover_line *out,
                          struct error *error)
{
    int kind = 0;
    int64_t port = 0;
    *out = (struct discover_line){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    bool valid =
        json_read_integer(object, "number", 1, INT64_MAX, &out->number, error) &&
        json_read_choice(object, "kind", KINDS, sizeof KINDS / sizeof KINDS[0], &kind, error) &&
        json_read_plain(object, "host", out->host, sizeof out->host, error) &&
        json_read_integer(object, "port", 0, UINT16_MAX, &port, error) &&
        json_read_text(object, "cause", out->cause, sizeof out->cause, error);
    out->kind = (enum discover_kind)kind;
    out->port = (uint16_t)port;
    json_decref(object);
    return valid;
}
