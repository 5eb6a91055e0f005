#include "ctl/acknowledgements.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/answer.h"
#include "ctl/format.h"
#include "ctl/report.h"

static const char AFTER[] = "acknowledged_after_seconds";

enum { LINE_SIZE = 4096 };

struct span acknowledgements_pause(struct span passed)
{
    struct span pause = span_longer((struct span){passed.ns / 50}, SPAN_MS(5));
    return span_shorter(pause, SPAN_MS(250));
}

static size_t count_of(const json_t *window, const char *member)
{
    return json_array_size(json_object_get(window, member));
}

static bool says_who_knows(const json_t *window)
{
    return json_is_array(json_object_get(window, "acknowledged")) &&
           json_is_array(json_object_get(window, "unacknowledged"));
}

void acknowledgements_append_count(const json_t *window, struct text *out)
{
    int64_t known, all;
    if (!answer_integer(window, "peers_known", &known) || !answer_integer(window, "peers", &all)) {
        return;
    }
    if (all == 0) {
        text_append(out, strcmp(answer_text(window, "origin"), "peer") == 0 ? "by us" : "-");
    } else {
        text_format(out, "%" PRId64 "/%" PRId64, known, all);
    }
}

// ---- one wait ----

struct wait {
    const struct context *context;
    json_t *windows;
    struct instant asked;
    bool status_shown; // a line below that will be overwritten
};

static bool for_people(const struct wait *wait)
{
    return !wait->context->command->json;
}

static bool redraws(const struct wait *wait)
{
    return for_people(wait) && wait->context->terminal.interactive;
}

static void clear_status(struct wait *wait)
{
    if (wait->status_shown) {
        fputs("\r\033[K", stdout);
        wait->status_shown = false;
    }
}

static void print_known(struct wait *wait, const json_t *window, const char *peer,
                        struct span after)
{
    char line[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    clear_status(wait);
    format_text(peer, &text);
    text_append(&text, " knows");
    if (json_array_size(wait->windows) > 1) {
        text_append(&text, " ");
        format_text(answer_text(window, "id"), &text);
    }
    text_format(&text, " after %.3f s", span_seconds(after));
    puts(line);
    fflush(stdout);
}

// Notes and tells who knows now and has not before.
static void note_known(struct wait *wait, const json_t *window, json_t *after)
{
    const json_t *known = json_object_get(window, "acknowledged");
    struct span passed = instant_since(clock_now().instant, wait->asked);
    for (size_t i = 0; i < json_array_size(known); i++) {
        const char *peer = json_string_value(json_array_get(known, i));
        if (peer == NULL || json_object_get(after, peer) != NULL) {
            continue;
        }
        json_object_set_new(after, peer, memory_checked(json_real(span_seconds(passed))));
        if (for_people(wait)) {
            print_known(wait, window, peer, passed);
        }
    }
}

// Asks for one window again; false when that failed, which is reported then.
static bool ask_again(struct wait *wait, size_t place, int *code)
{
    char target[256];
    struct text text = TEXT_OVER(target);
    json_t *before = json_array_get(wait->windows, place);
    text_append(&text, "/maintenance/");
    client_append_encoded(&text, answer_text(before, "id"));
    json_t *window = report_ask(wait->context, "GET", target, NULL, NULL, code);
    if (window == NULL) {
        return false;
    }
    json_t *after = json_object_get(before, AFTER);
    after = after != NULL ? json_incref(after) : memory_checked(json_object());
    note_known(wait, window, after);
    json_object_set_new(window, AFTER, after);
    json_array_set_new(wait->windows, place, window);
    return true;
}

static bool ask_all_again(struct wait *wait, int *code)
{
    for (size_t i = 0; i < json_array_size(wait->windows); i++) {
        if (!ask_again(wait, i, code)) {
            return false;
        }
    }
    return true;
}

static bool all_know(const struct wait *wait)
{
    for (size_t i = 0; i < json_array_size(wait->windows); i++) {
        const json_t *window = json_array_get(wait->windows, i);
        if (!says_who_knows(window) || count_of(window, "unacknowledged") > 0) {
            return false;
        }
    }
    return true;
}

// "mx01 (HTTP: connection refused), mx03 (...)", the reasons only when asked for.
static void append_unknowing(const json_t *window, bool reasons, struct text *out)
{
    const json_t *list = json_object_get(window, "unacknowledged");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *why = answer_text(entry, "why");
        text_append(out, i == 0 ? "" : ", ");
        format_text(answer_text(entry, "peer"), out);
        if (reasons && why[0] != '\0') {
            text_append(out, " (");
            format_text(why, out);
            text_append(out, ")");
        }
    }
}

// One line, cut to the terminal's width, for it is overwritten.
static void print_status(struct wait *wait)
{
    char line[LINE_SIZE], shown[LINE_SIZE];
    struct text text = TEXT_OVER(line);
    unsigned width = wait->context->terminal.width;
    if (!redraws(wait)) {
        return;
    }
    text_append(&text, "waiting for ");
    const char *between = "";
    for (size_t i = 0; i < json_array_size(wait->windows); i++) {
        const json_t *window = json_array_get(wait->windows, i);
        if (count_of(window, "unacknowledged") > 0) {
            text_append(&text, between);
            append_unknowing(window, true, &text);
            between = "; ";
        }
    }
    struct text cut = text_over(shown, width > 1 && width < LINE_SIZE ? width : 80);
    text_append(&cut, line);
    clear_status(wait);
    fputs(shown, stdout);
    fflush(stdout);
    wait->status_shown = true;
}

// Nothing more can come of waiting: all know, or this agent will not say.
static bool is_over(const struct wait *wait)
{
    for (size_t i = 0; i < json_array_size(wait->windows); i++) {
        if (!says_who_knows(json_array_get(wait->windows, i))) {
            return true;
        }
    }
    return all_know(wait);
}

// ---- how it ends ----

static void print_unknowing(const json_t *window)
{
    const json_t *list = json_object_get(window, "unacknowledged");
    for (size_t i = 0; i < json_array_size(list); i++) {
        char line[LINE_SIZE];
        struct text text = TEXT_OVER(line);
        const json_t *entry = json_array_get(list, i);
        format_text(answer_text(entry, "peer"), &text);
        text_append(&text, " does not know: ");
        format_text(answer_text(entry, "why"), &text);
        puts(line);
    }
}

static void fail_window(const struct wait *wait, const json_t *window)
{
    char message[LINE_SIZE];
    struct text text = TEXT_OVER(message);
    size_t missing = count_of(window, "unacknowledged");
    if (!says_who_knows(window)) {
        report_failure(wait->context, EXIT_REFUSED,
                       "the agent does not say who knows of the window: is it of an earlier "
                       "version?");
        return;
    }
    if (for_people(wait)) {
        print_unknowing(window);
        fflush(stdout);
    }
    text_append(&text, "after ");
    span_append(wait->context->command->wait, &text);
    text_format(&text, " %zu of %zu peers %s not know of window ", missing,
                missing + count_of(window, "acknowledged"), missing == 1 ? "does" : "do");
    format_text(answer_text(window, "id"), &text);
    text_append(&text, " and will go on being told: ");
    append_unknowing(window, false, &text);
    report_failure(wait->context, EXIT_REFUSED, message);
}

static int conclude(const struct wait *wait)
{
    size_t peers = 0;
    for (size_t i = 0; i < json_array_size(wait->windows); i++) {
        const json_t *window = json_array_get(wait->windows, i);
        if (!says_who_knows(window) || count_of(window, "unacknowledged") > 0) {
            fail_window(wait, window);
        }
        size_t known = count_of(window, "acknowledged");
        peers = known > peers ? known : peers;
    }
    if (!all_know(wait)) {
        return EXIT_REFUSED;
    }
    if (for_people(wait) && peers == 0) {
        puts("No peer has an agent that is to know.");
    } else if (for_people(wait)) {
        printf("All know: %zu peer%s.\n", peers, peers == 1 ? "" : "s");
    }
    return EXIT_DONE;
}

int acknowledgements_await(const struct context *context, json_t *windows, struct instant asked)
{
    struct wait wait = {.context = context, .windows = windows, .asked = asked};
    struct instant deadline = instant_add(asked, context->command->wait);
    int code = EXIT_DONE;
    fflush(stdout);
    for (;;) {
        if (!ask_all_again(&wait, &code)) {
            return code;
        }
        struct instant now = clock_now().instant;
        struct span left = instant_since(deadline, now);
        if (is_over(&wait) || left.ns <= 0) {
            break;
        }
        print_status(&wait);
        struct span pause = acknowledgements_pause(instant_since(now, asked));
        client_pause(span_shorter(left, pause));
    }
    clear_status(&wait);
    return conclude(&wait);
}
