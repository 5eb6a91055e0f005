#include "probes/fetch/silences.h"

#include <ctype.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

static const char NAME_CHARACTERS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

// ---- the shape of the answer ----

static bool has_text(const json_t *object, const char *name, struct error *error)
{
    return json_is_string(json_object_get(object, name)) ||
           error_set(error, "\"%s\" is missing or not a string", name);
}

static bool check_matchers(const json_t *silence, struct error *error)
{
    const json_t *matchers = json_object_get(silence, "matchers");
    if (!json_is_array(matchers)) {
        return error_set(error, "\"matchers\" is missing or not an array");
    }
    for (size_t i = 0; i < json_array_size(matchers); i++) {
        const json_t *matcher = json_array_get(matchers, i);
        bool regex;
        if (!has_text(matcher, "name", error) || !has_text(matcher, "value", error) ||
            !json_read_boolean(matcher, "isRegex", &regex, error)) {
            return error_prefix(error, "matcher %zu", i);
        }
    }
    return true;
}

static bool check_silence(const json_t *silence, struct error *error)
{
    static const char *const TEXTS[] = {"id", "startsAt", "endsAt", "createdBy", "comment"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        if (!has_text(silence, TEXTS[i], error)) {
            return false;
        }
    }
    const json_t *status;
    return json_read_object(silence, "status", &status, error) &&
           has_text(status, "state", error) && check_matchers(silence, error);
}

// Everything in it is then of the type that it should be.
static bool check_answer(const json_t *answer, struct error *error)
{
    if (!json_is_array(answer)) {
        return error_set(error, "it is not a list");
    }
    for (size_t i = 0; i < json_array_size(answer); i++) {
        if (!check_silence(json_array_get(answer, i), error)) {
            return error_prefix(error, "silence %zu", i);
        }
    }
    return true;
}

// ---- one silence ----

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

// What people typed, as one line.
static void take_line(const json_t *object, const char *name, char *out, size_t size)
{
    text_copy(out, size, text_of(object, name));
    for (char *at = out; *at != '\0'; at++) {
        *at = iscntrl((unsigned char)*at) ? ' ' : *at;
    }
}

static bool is_expired(const json_t *silence)
{
    return strcmp(text_of(json_object_get(silence, "status"), "state"), "expired") == 0;
}

// Alertmanagers before 0.22 know no negative matchers and leave isEqual out.
static const json_t *find_matcher(const json_t *silence, const char *name)
{
    const json_t *matchers = json_object_get(silence, "matchers");
    for (size_t i = 0; i < json_array_size(matchers); i++) {
        const json_t *matcher = json_array_get(matchers, i);
        if (strcmp(text_of(matcher, "name"), name) == 0 &&
            !json_is_false(json_object_get(matcher, "isEqual"))) {
            return matcher;
        }
    }
    return NULL;
}

static void say_problem(const struct silence_line *silence, const char *message,
                        void (*say)(const struct silence_line *line))
{
    struct silence_line line = {.kind = SILENCE_PROBLEM};
    text_copy(line.id, sizeof line.id, silence->id);
    text_copy(line.message, sizeof line.message, message);
    say(&line);
}

// "mx01|mx02", also in parentheses.
static bool is_alternation(const char *value)
{
    size_t parts = 0;
    for (const char *at = value;; at++) {
        size_t length = strspn(at, NAME_CHARACTERS);
        at += length;
        if (length == 0 || ++parts > SILENCE_NAMES_MAXIMUM || (*at != '|' && *at != '\0')) {
            return false;
        }
        if (*at == '\0') {
            return true;
        }
    }
}

static void say_each(struct silence_line *line, const char *value,
                     void (*say)(const struct silence_line *line))
{
    while (*value != '\0') {
        size_t length = strcspn(value, "|");
        struct text name = TEXT_OVER(line->name);
        text_append_bytes(&name, value, length);
        say(line);
        value += length;
        value += *value == '|';
    }
}

static void say_names(struct silence_line *line, const json_t *matcher,
                      void (*say)(const struct silence_line *line))
{
    const char *value = text_of(matcher, "value");
    size_t length = strlen(value);
    char inside[SILENCE_NAMES_MAXIMUM * SILENCE_TEXT_SIZE];
    struct text names = TEXT_OVER(inside);
    if (!json_is_true(json_object_get(matcher, "isRegex"))) {
        take_line(matcher, "value", line->name, sizeof line->name);
        say(line);
        return;
    }
    bool enclosed = length > 2 && value[0] == '(' && value[length - 1] == ')';
    text_append_bytes(&names, enclosed ? value + 1 : value, enclosed ? length - 2 : length);
    if (names.truncated || !is_alternation(inside)) {
        say_problem(line,
                    "its matcher is a regular expression that is more than names with | between: "
                    "name the server with =, or write mx01|mx02",
                    say);
        return;
    }
    say_each(line, inside, say);
}

static void say_silence(const json_t *silence, const json_t *matcher,
                        void (*say)(const struct silence_line *line))
{
    struct silence_line line = {.kind = SILENCE_FOUND};
    take_line(silence, "id", line.id, sizeof line.id);
    take_line(silence, "createdBy", line.creator, sizeof line.creator);
    take_line(silence, "comment", line.comment, sizeof line.comment);
    if (!walltime_parse_rfc3339(text_of(silence, "startsAt"), &line.begin) ||
        !walltime_parse_rfc3339(text_of(silence, "endsAt"), &line.end)) {
        say_problem(&line, "its startsAt or endsAt is no time that can be reckoned with", say);
    } else {
        say_names(&line, matcher, say);
    }
}

bool silences_read(const char *bytes, size_t length, const char *matcher,
                   void (*say)(const struct silence_line *line), struct error *error)
{
    json_error_t where;
    json_t *answer = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &where);
    if (answer == NULL) {
        return error_set(error, "not JSON at byte %d: %s", where.position, where.text);
    }
    bool good = check_answer(answer, error);
    for (size_t i = 0; good && i < json_array_size(answer); i++) {
        const json_t *silence = json_array_get(answer, i);
        const json_t *named = find_matcher(silence, matcher);
        if (named != NULL && !is_expired(silence)) {
            say_silence(silence, named, say);
        }
    }
    json_decref(answer);
    return good;
}
