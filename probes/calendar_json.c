#include "base/text.h"
#include "probes/calendar.h"
#include "probes/json_values.h"

static const char *const KIND_NAMES[] = {"occurrence", "problem", "done", "failed"};
enum { KIND_COUNT = sizeof KIND_NAMES / sizeof KIND_NAMES[0] };

char *calendar_job_encode(const struct calendar_job *job)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "file", job->file);
    json_write_text(object, "rule", job->rule);
    json_write_text(object, "start", job->start);
    json_write_text(object, "zone", job->zone);
    json_write_integer(object, "length", job->length.ns);
    json_write_integer(object, "from", job->from.ns);
    json_write_integer(object, "until", job->until.ns);
    json_write_integer(object, "limit", job->limit);
    json_write_integer(object, "deadline", job->deadline.ns);
    return json_line_finish(object);
}

static bool check_job(const struct calendar_job *job, struct error *error)
{
    if ((job->file[0] == '\0') == (job->start[0] == '\0')) {
        return error_set(error, "give \"file\" or \"start\", one of them");
    }
    if (job->file[0] != '\0' && job->file[0] != '/') {
        return error_set(error, "\"file\" is not an absolute path");
    }
    return job->until.ns > job->from.ns || error_set(error, "\"until\" is not after \"from\"");
}

bool calendar_job_decode(const char *line, size_t length, struct calendar_job *out,
                         struct error *error)
{
    *out = (struct calendar_job){0};
    json_t *object = json_read_line(line, length, error);
    if (object == NULL) {
        return false;
    }
    int64_t limit = 0;
    bool valid =
        json_read_plain(object, "file", out->file, sizeof out->file, error) &&
        json_read_plain(object, "rule", out->rule, sizeof out->rule, error) &&
        json_read_plain(object, "start", out->start, sizeof out->start, error) &&
        json_read_plain(object, "zone", out->zone, sizeof out->zone, error) &&
        json_read_span(object, "length", &out->length, error) &&
        json_read_integer(object, "from", 0, INT64_MAX, &out->from.ns, error) &&
        json_read_integer(object, "until", 0, INT64_MAX, &out->until.ns, error) &&
        json_read_integer(object, "limit", 1, CALENDAR_OCCURRENCES_MAXIMUM, &limit, error) &&
        json_read_integer(object, "deadline", 0, INT64_MAX, &out->deadline.ns, error) &&
        check_job(out, error);
    out->limit = (uint32_t)limit;
    json_decref(object);
    return valid;
}

static void write_occurrence(json_t *object, const struct calendar_line *line)
{
    json_t *objects = memory_checked(json_array());
    for (size_t i = 0; i < line->object_count; i++) {
        json_t *name = memory_checked(json_object());
        json_write_text(name, "name", line->objects[i]);
        memory_checked(json_array_append_new(objects, name) == 0 ? objects : NULL);
    }
    json_write_integer(object, "begin", line->begin.ns);
    json_write_integer(object, "end", line->end.ns);
    json_write_boolean(object, "emergency", line->emergency);
    json_write_text(object, "reason", line->reason);
    json_write_object(object, "objects", objects);
    json_write_text(object, "location", line->location);
    json_write_text(object, "categories", line->categories);
    json_write_text(object, "summary", line->summary);
}

char *calendar_line_encode(const struct calendar_line *line)
{
    json_t *object = memory_checked(json_object());
    json_write_text(object, "kind", KIND_NAMES[line->kind]);
    json_write_integer(object, "line", line->line);
    json_write_text(object, "uid", line->uid);
    json_write_text(object, "message", line->message);
    if (line->kind == CALENDAR_OCCURRENCE) {
        write_occurrence(object, line);
    }
    return json_line_finish(object);
}

static bool read_objects(const json_t *object, struct calendar_line *out, struct error *error)
{
    const json_t *objects;
    if (!json_read_array(object, "objects", CALENDAR_OBJECTS_MAXIMUM, &objects, error)) {
        return false;
    }
    out->object_count = json_array_size(objects);
    for (size_t i = 0; i < out->object_count; i++) {
        if (!json_read_text(json_array_get(objects, i), "name", out->objects[i],
                            CALENDAR_OBJECT_SIZE, error)) {
            return error_prefix(error, "\"objects\" %zu", i);
        }
    }
    return true;
}

static bool read_occurrence(const json_t *object, struct calendar_line *out, struct error *error)
{
    return json_read_integer(object, "begin", INT64_MIN, INT64_MAX, &out->begin.ns, error) &&
           json_read_integer(object, "end", INT64_MIN, INT64_MAX, &out->end.ns, error) &&
           json_read_boolean(object, "emergency", &out->emergency, error) &&
           json_read_text(object, "reason", out->reason, sizeof out->reason, error) &&
           read_objects(object, out, error) &&
           json_read_text(object, "location", out->location, sizeof out->location, error) &&
           json_read_text(object, "categories", out->categories, sizeof out->categories, error) &&
           json_read_text(object, "summary", out->summary, sizeof out->summary, error);
}

bool calendar_line_decode(const char *text, size_t length, struct calendar_line *out,
                          struct error *error)
{
    *out = (struct calendar_line){0};
    json_t *object = json_read_line(text, length, error);
    if (object == NULL) {
        return false;
    }
    int kind = 0;
    int64_t line = 0;
    bool valid = json_read_choice(object, "kind", KIND_NAMES, KIND_COUNT, &kind, error) &&
                 json_read_integer(object, "line", 0, CALENDAR_FILE_MAXIMUM + 1, &line, error) &&
                 json_read_text(object, "uid", out->uid, sizeof out->uid, error) &&
                 json_read_text(object, "message", out->message, sizeof out->message, error);
    out->kind = (enum calendar_line_kind)kind;
    out->line = (unsigned)line;
    if (valid && out->kind == CALENDAR_OCCURRENCE) {
        valid = read_occurrence(object, out, error);
    }
    json_decref(object);
    return valid;
}
