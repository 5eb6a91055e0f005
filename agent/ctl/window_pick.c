#include "ctl/window_pick.h"

#include <string.h>

#include "base/text.h"
#include "ctl/format.h"
#include "base/answer.h"
#include "ctl/windows.h"

static bool has_text(const json_t *window, const char *member, const char *value)
{
    return strcmp(answer_text(window, member), value) == 0;
}

static unsigned state_bit(const json_t *window)
{
    return answer_true(window, "cancelled")       ? WINDOW_PICK_PAST
           : window_in_state(window, "announced") ? WINDOW_PICK_ANNOUNCED
           : window_in_state(window, "active")    ? WINDOW_PICK_ACTIVE
                                                  : WINDOW_PICK_PAST;
}

static json_t *find_by_id(const json_t *windows, const char *id)
{
    for (size_t i = 0; i < json_array_size(windows); i++) {
        json_t *window = json_array_get(windows, i);
        if (has_text(window, "id", id)) {
            return window;
        }
    }
    return NULL;
}

static json_t *collect_of_server(const json_t *windows, const char *server, unsigned states)
{
    json_t *picked = memory_checked(json_array());
    for (size_t i = 0; i < json_array_size(windows); i++) {
        json_t *window = json_array_get(windows, i);
        if (has_text(window, "server", server) && (states & state_bit(window)) != 0) {
            json_array_append(picked, window);
        }
    }
    return picked;
}

bool window_pick_has_ended(const json_t *window)
{
    return window_in_state(window, "recovering") || window_in_state(window, "over");
}

// What is asked for when work takes longer than its window: the agent refuses what is no use.
static void add_last(const json_t *windows, const char *server, struct walltime now, json_t *picked)
{
    json_t *last = NULL;
    struct walltime latest = walltime_subtract(now, SPAN_HOURS(24)), end;
    for (size_t i = 0; i < json_array_size(windows); i++) {
        json_t *window = json_array_get(windows, i);
        if (has_text(window, "server", server) && window_pick_has_ended(window) &&
            !answer_true(window, "cancelled") && answer_time(window, "end", &end) &&
            end.ns > latest.ns) {
            last = window;
            latest = end;
        }
    }
    if (last != NULL) {
        json_array_append(picked, last);
    }
}

enum { IDS_LISTED = 4 };

static void append_ids(const json_t *windows, struct text *out)
{
    size_t count = json_array_size(windows);
    for (size_t i = 0; i < count && i < IDS_LISTED; i++) {
        text_append(out, i == 0 ? "" : ", ");
        format_text(answer_text(json_array_get(windows, i), "id"), out);
    }
    if (count > IDS_LISTED) {
        text_format(out, " and %zu more", count - IDS_LISTED);
    }
}

void window_pick_refuse_unnamed(const json_t *windows, unsigned states, struct error *error)
{
    char listed[400];
    struct text list = TEXT_OVER(listed);
    const char *first = NULL;
    for (size_t i = 0; i < json_array_size(windows); i++) {
        const json_t *window = json_array_get(windows, i);
        if ((states & state_bit(window)) != 0) {
            text_append(&list, first == NULL ? "" : ", ");
            format_text(answer_text(window, "id"), &list);
            text_append(&list, " of ");
            format_text(answer_text(window, "server"), &list);
            first = first == NULL ? answer_text(window, "id") : first;
        }
    }
    if (first != NULL) {
        char id[64];
        struct text text = TEXT_OVER(id);
        format_text(first, &text);
        error_set(error,
                  "this server has no window that has not begun; name the one you mean "
                  "(mailflowctl maintenance cancel %s): %s",
                  id, listed);
    }
}

// The server has windows, but none that is wanted.
static void describe_none(const json_t *windows, const char *name, struct window_choice choice,
                          struct error *error)
{
    char shown[128], ids[256];
    struct text text = TEXT_OVER(shown), list = TEXT_OVER(ids);
    json_t *waiting = collect_of_server(windows, name, WINDOW_PICK_ANNOUNCED);
    json_t *known = collect_of_server(windows, name, WINDOW_PICK_ALL);
    bool announced = (choice.by_server & WINDOW_PICK_ANNOUNCED) != 0;
    format_text(name, &text);
    if (json_array_size(waiting) > 0) {
        append_ids(waiting, &list);
        error_set(error,
                  "no window of '%s' is active; announced: %s (maintenance cancel calls it off)",
                  shown, ids);
    } else if (json_array_size(known) > 0) {
        append_ids(known, &list);
        error_set(error, "no window of '%s' is %s; over: %s", shown,
                  announced ? "announced or active" : "active", ids);
    }
    json_decref(waiting);
    json_decref(known);
}

json_t *window_pick(const json_t *windows, const char *name, struct window_choice choice,
                    struct walltime now, struct error *error)
{
    json_t *window = find_by_id(windows, name);
    *error = (struct error){0};
    if (window != NULL && (choice.by_id & state_bit(window)) == 0) {
        error_set(error, "that window has not begun: call it off with mailflowctl maintenance "
                         "cancel");
        return NULL;
    }
    json_t *picked = window != NULL ? memory_checked(json_pack("[O]", window))
                                    : collect_of_server(windows, name, choice.by_server);
    if (json_array_size(picked) == 0 && choice.or_last) {
        add_last(windows, name, now, picked);
    }
    if (json_array_size(picked) == 0) {
        json_decref(picked);
        describe_none(windows, name, choice, error);
        return NULL;
    }
    return picked;
}
