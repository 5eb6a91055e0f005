#include "probes/silence.h"

#include "probes/json_values.h"

static const char *const KIND_NAMES[] = {"silence", "problem", "done", "failed"};
enum { KIND_COUNT = sizeof KIND_NAMES / sizeof KIND_NAMES[0] };

char *silence_line_encode(const struct silence_line *line)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "kind", KIND_NAMES[line->kind]);
    json_write_text(object, "id", line->id);
    json_write_text(object, "message", line->message);
    if (line->kind == SILENCE_FOUND) {
        json_write_text(object, "name", line->name);
        json_write_integer(object, "begin", line->begin.ns);
        json_write_integer(object, "end", line->end.ns);
        json_write_text(object, "creator", line->creator);
        json_write_text(object, "comment", line->comment);
    }
    if (line->kind == SILENCES_DONE || line->kind == SILENCES_FAILED) {
        json_write_certificate(object, "certificate", &line->certificate);
    }
    return json_line_finish(object);
}

static bool read_found(const json_t *object, struct silence_line *out, struct error *error)
{
    return json_read_text(object, "name", out->name, sizeof out->name, error) &&
           json_read_integer(object, "begin", INT64_MIN, INT64_MAX, &out->begin.ns, error) &&
           json_read_integer(object, "end", INT64_MIN, INT64_MAX, &out->end.ns, error) &&
           json_read_text(object, "creator", out->creator, sizeof out->creator, error) &&
           json_read_text(object, "comment", out->comment, sizeof out->comment, error);
}

bool silence_line_decode(const char *text, size_t length, struct silence_line *out,
                         struct error *error)
{
    *out = (struct silence_line){0};
    json_t *object = json_read_line(text, length, error);
    if (object == NULL) {
        return false;
    }
    int kind = 0;
    bool valid = json_read_choice(object, "kind", KIND_NAMES, KIND_COUNT, &kind, error) &&
                 json_read_text(object, "id", out->id, sizeof out->id, error) &&
                 json_read_text(object, "message", out->message, sizeof out->message, error);
    out->kind = (enum silence_line_kind)kind;
    if (valid && out->kind == SILENCE_FOUND) {
        valid = read_found(object, out, error);
    } else if (valid && (out->kind == SILENCES_DONE || out->kind == SILENCES_FAILED)) {
        valid = json_read_certificate(object, "certificate", &out->certificate, error);
    }
    json_decref(object);
    return valid;
}
