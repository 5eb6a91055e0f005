#include "shell/window_request.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "probes/json_values.h"
#include "shell/api_query.h"

enum { TIME_TEXT = 32, SPAN_TEXT = 32 };

static const char *time_text(struct walltime at, char out[TIME_TEXT])
{
    struct text text = text_over(out, TIME_TEXT);
    walltime_append_seconds(at, &text);
    return out;
}

static const char *span_text(struct span of, char out[SPAN_TEXT])
{
    struct text text = text_over(out, SPAN_TEXT);
    span_append(of, &text);
    return out;
}

// Windows travel in whole microseconds: everybody is to have the same ones.
static struct walltime whole(struct walltime at)
{
    return (struct walltime){at.ns - at.ns % 1000};
}

static bool has(const json_t *request, const char *name)
{
    return json_object_get(request, name) != NULL;
}

// Every member is one of the names, a list that NULL ends.
static bool check_members(const json_t *request, const char *const *names, struct error *error)
{
    for (void *at = json_object_iter((json_t *)request); at != NULL;
         at = json_object_iter_next((json_t *)request, at)) {
        const char *member = json_object_iter_key(at);
        size_t i = 0;
        while (names[i] != NULL && strcmp(member, names[i]) != 0) {
            i++;
        }
        if (names[i] == NULL) {
            char shown[64];
            struct text text = TEXT_OVER(shown);
            text_append_escaped(&text, member);
            return error_set(error, "\"%s\" is not known here", shown);
        }
    }
    return true;
}

static bool read_time(const json_t *request, const char *name, struct walltime *out,
                      struct error *error)
{
    char text[64];
    if (!has(request, name)) {
        return true;
    }
    if (!json_read_text(request, name, text, sizeof text, error)) {
        return false;
    }
    if (!walltime_parse_rfc3339(text, out)) {
        return error_set(error, "\"%s\" is not a time like 2026-01-04T02:00:00Z", name);
    }
    *out = whole(*out);
    return true;
}

static bool read_seconds(const json_t *request, const char *name, struct span *out,
                         struct error *error)
{
    const json_t *member = json_object_get(request, name);
    double seconds = json_number_value(member);
    if (!json_is_number(member)) {
        return error_set(error, "\"%s\" is not a number", name);
    }
    if (!(seconds >= 1) || seconds > span_seconds(WINDOW_LENGTH_MAXIMUM)) {
        char maximum[SPAN_TEXT];
        bool more = strcmp(name, "extend_seconds") == 0;
        return error_set(error, "maintenance can %s 1s to %s",
                         more ? "be extended by" : "last from",
                         span_text(WINDOW_LENGTH_MAXIMUM, maximum));
    }
    *out = (struct span){span_from_seconds(seconds).ns / 1000 * 1000};
    return true;
}

static bool read_plain(const json_t *request, const char *name, char *out, size_t size,
                       struct error *error)
{
    return !has(request, name) || json_read_plain(request, name, out, size, error);
}

// What an operator may have written wrong is said in his words, not in those of the API.
static bool read_reason(const json_t *request, struct window *window, struct error *error)
{
    const char *reason = json_string_value(json_object_get(request, "reason"));
    for (const char *at = reason; at != NULL && *at != '\0'; at++) {
        if (iscntrl((unsigned char)*at)) {
            return error_set(error, "the reason is not one line of plain text");
        }
    }
    if (reason != NULL && strlen(reason) >= sizeof window->reason) {
        return error_set(error, "the reason is %zu bytes long: %zu are the most", strlen(reason),
                         sizeof window->reason - 1);
    }
    return read_plain(request, "reason", window->reason, sizeof window->reason, error);
}

static bool read_force(const json_t *request, bool *out, struct error *error)
{
    *out = false;
    return !has(request, "force") || json_read_boolean(request, "force", out, error);
}

static bool read_kind(const json_t *request, enum window_kind *out, struct error *error)
{
    char name[16] = "routine";
    return read_plain(request, "kind", name, sizeof name, error) &&
           (window_kind_parse(name, out) ||
            error_set(error, "\"kind\" is neither routine nor emergency"));
}

static bool read_server(const json_t *request, const struct settings *settings, char *out,
                        struct error *error)
{
    text_copy(out, SERVER_NAME_SIZE, settings->server);
    if (!read_plain(request, "server", out, SERVER_NAME_SIZE, error)) {
        return false;
    }
    if (settings_in_mesh(settings, out)) {
        return true;
    }
    char mesh[320];
    struct text text = TEXT_OVER(mesh);
    api_query_append_mesh(settings, &text);
    return error_set(error, "unknown server '%s': %s", out, mesh);
}

// The operator has the window from now on, whoever had it before.
static bool read_by(const json_t *request, const struct settings *settings, struct window *window,
                    struct error *error)
{
    char who[WINDOW_BY_SIZE] = "operator";
    if (!read_plain(request, "by", who, sizeof who, error)) {
        return false;
    }
    char *host = strrchr(who, '@');
    if (host != NULL) {
        *host = '\0';
    }
    struct text by = TEXT_OVER(window->by);
    text_format(&by, "%s@%s", who[0] == '\0' ? "operator" : who, settings->server);
    window->origin = ORIGIN_OPERATOR;
    return !by.truncated ||
           error_set(error, "\"by\" is too long to be said with '%s'", settings->server);
}

static bool read_length(const json_t *request, struct window *window, struct error *error)
{
    struct span length =
        window->kind == WINDOW_EMERGENCY ? WINDOW_EMERGENCY_DEFAULT : WINDOW_ROUTINE_DEFAULT;
    if (has(request, "end") && has(request, "duration_seconds")) {
        return error_set(error, "give \"end\" or \"duration_seconds\", not both");
    }
    if (has(request, "duration_seconds") &&
        !read_seconds(request, "duration_seconds", &length, error)) {
        return false;
    }
    window->end = walltime_add(window->begin, length);
    return read_time(request, "end", &window->end, error);
}

// What holds for every window that is put in place, new or changed.
static bool check_window(const struct window *window, struct walltime now, bool force,
                         struct error *error)
{
    char end[TIME_TEXT], other[TIME_TEXT], length_text[SPAN_TEXT], maximum[SPAN_TEXT];
    struct span length = walltime_since(window->end, window->begin);
    time_text(window->end, end);
    if (length.ns <= 0) {
        return error_set(error, "end %s is not after begin %s", end,
                         time_text(window->begin, other));
    }
    if (window->end.ns <= now.ns) {
        return error_set(error, "end %s is in the past: it is %s now", end, time_text(now, other));
    }
    if (length.ns > WINDOW_LENGTH_MAXIMUM.ns) {
        return error_set(error, "a maintenance of %s is longer than %s",
                         span_text(length, length_text), span_text(WINDOW_LENGTH_MAXIMUM, maximum));
    }
    if (walltime_since(window->begin, now).ns > WINDOW_AHEAD_MAXIMUM.ns) {
        return error_set(error, "begin %s is more than %s ahead", time_text(window->begin, other),
                         span_text(WINDOW_AHEAD_MAXIMUM, maximum));
    }
    if (window->kind == WINDOW_ROUTINE && length.ns > WINDOW_ROUTINE_MAXIMUM.ns && !force) {
        return error_set(error,
                         "routine maintenance of %s is longer than %s: use an emergency with a "
                         "reason, or force it (--force)",
                         span_text(length, length_text),
                         span_text(WINDOW_ROUTINE_MAXIMUM, maximum));
    }
    return true;
}

bool window_request_new(const json_t *request, const struct settings *settings, struct walltime now,
                        struct window *out, struct error *error)
{
    static const char *const MEMBERS[] = {
        "server", "kind", "begin", "duration_seconds", "end", "reason", "by", "force", NULL};
    bool force;
    *out = (struct window){.revision = 1, .begin = whole(now)};
    if (!check_members(request, MEMBERS, error) ||
        !read_server(request, settings, out->server, error) ||
        !read_kind(request, &out->kind, error) ||
        !read_time(request, "begin", &out->begin, error) || !read_length(request, out, error) ||
        !read_reason(request, out, error) || !read_by(request, settings, out, error) ||
        !read_force(request, &force, error)) {
        return false;
    }
    if (out->kind == WINDOW_EMERGENCY && out->reason[0] == '\0') {
        return error_set(error, "emergency maintenance needs a reason");
    }
    return check_window(out, now, force, error);
}

bool window_request_asker(const json_t *request, const struct settings *settings,
                          struct window *window, struct error *error)
{
    static const char *const MEMBERS[] = {"by", NULL};
    return check_members(request, MEMBERS, error) && read_by(request, settings, window, error);
}

bool window_request_change(const json_t *request, const struct settings *settings,
                           struct walltime now, struct window *window, struct error *error)
{
    static const char *const MEMBERS[] = {"end", "extend_seconds", "by", "force", NULL};
    bool force;
    struct span more = SPAN_ZERO;
    if (!check_members(request, MEMBERS, error) || !read_force(request, &force, error) ||
        !read_by(request, settings, window, error)) {
        return false;
    }
    if (has(request, "end") == has(request, "extend_seconds")) {
        return error_set(error, "give \"end\" or \"extend_seconds\", one of them");
    }
    if (window->cancelled) {
        return error_set(error, "window %s was cancelled: announce a new one", window->id);
    }
    if (has(request, "extend_seconds") && !read_seconds(request, "extend_seconds", &more, error)) {
        return false;
    }
    char end[TIME_TEXT];
    struct walltime ended = window->end;
    window->end = walltime_add(window->end, more);
    window->revision++;
    if (more.ns > 0 && window->end.ns <= now.ns) {
        return error_set(error,
                         "window %s ended at %s, %.0f s ago: extend it by more than that, or begin "
                         "another",
                         window->id, time_text(ended, end),
                         span_seconds(walltime_since(now, ended)));
    }
    return read_time(request, "end", &window->end, error) &&
           check_window(window, now, force, error);
}

bool window_request_end(struct walltime now, struct window *window, struct error *error)
{
    char end[TIME_TEXT];
    if (window->cancelled) {
        return error_set(error, "window %s was cancelled already", window->id);
    }
    if (now.ns >= window->end.ns) {
        return error_set(error, "window %s is over since %s", window->id,
                         time_text(window->end, end));
    }
    window->cancelled = now.ns < window->begin.ns;
    window->end = window->cancelled ? window->begin : whole(now);
    window->revision++;
    return true;
}
