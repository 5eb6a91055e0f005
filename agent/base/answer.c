#include "base/answer.h"

// What fits into nanoseconds, near enough.
static const double SECONDS_MAXIMUM = 9.2e9;

const char *answer_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

bool answer_span(const json_t *object, const char *name, struct span *out)
{
    const json_t *member = json_object_get(object, name);
    double seconds = json_number_value(member);
    if (!json_is_number(member) || seconds > SECONDS_MAXIMUM || seconds < -SECONDS_MAXIMUM) {
        return false;
    }
    *out = span_from_seconds(seconds);
    return true;
}

bool answer_time(const json_t *object, const char *name, struct walltime *out)
{
    return walltime_parse_rfc3339(answer_text(object, name), out);
}

bool answer_integer(const json_t *object, const char *name, int64_t *out)
{
    const json_t *member = json_object_get(object, name);
    *out = json_integer_value(member);
    return json_is_integer(member);
}

bool answer_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

const json_t *answer_list(const json_t *object, const char *name, struct error *error)
{
    const json_t *list = json_object_get(object, name);
    if (!json_is_array(list)) {
        error_set(error, "the answer has no list \"%s\": is the agent of another version?", name);
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_object(json_array_get(list, i))) {
            error_set(error, "entry %zu of \"%s\" is not a JSON object", i, name);
            return NULL;
        }
    }
    return list;
}
