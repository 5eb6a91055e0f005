#include "ctl/window_pick.h"

#include <string.h>

#include "base/text.h"
#include "ctl/format.h"
#include "ctl/answer.h"
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

static void describe_none(const json_t *windows, const char *name, struct window_choice choice,
                          struct error *error)
{
    char shown[128];
    struct text text = TEXT_OVER(shown);
    json_t *waiting = collect_of_server(windows, name, WINDOW_PICK_ANNOUNCED);
    json_t *known = collect_of_server(windows, name, WINDOW_PICK_ALL);
    bool announced = (choice.by_server & WINDOW_PICK_ANNOUNCED) != 0;
    const char *wanted = announced ? "announced or active" : "active";
    format_text(name, &text);
    if (json_array_size(waiting) > 0) {
        error_set(error,
                  "no window of '%s' is active; %zu announced (mailflowctl maintenance list)",
                  shown, json_array_size(waiting));
    } else if (json_array_size(known) > 0) {
        error_set(error, "no window of '%s' is %s", shown, wanted);
    } else {
        error_set(error, "no window has the id '%s', and no server of that name has one %s", shown,
                  wanted);
    }
    json_decref(waiting);
    json_decref(known);
}

json_t *window_pick(const json_t *windows, const char *name, struct window_choice choice,
                    struct error *error)
{
    json_t *window = find_by_id(windows, name);
    if (window != NULL && (choice.by_id & state_bit(window)) == 0) {
        error_set(error, "that window has not begun: call it off with mailflowctl maintenance "
                         "cancel");
        return NULL;
    }
    json_t *picked = window != NULL ? memory_checked(json_pack("[O]", window))
                                    : collect_of_server(windows, name, choice.by_server);
    if (json_array_size(picked) == 0) {
        json_decref(picked);
        describe_none(windows, name, choice, error);
        return NULL;
    }
    return picked;
}
