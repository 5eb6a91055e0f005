#include "ctl/acknowledgements.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/answer.h"
#include "ctl/format.h"
#include "ctl/peers.h"
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

bool acknowledgements_wanted(const struct command *command)
{
    return command_given(command, OPTION_WAIT) && command->wait.ns > 0;
}

void acknowledgements_print_hint(const json_t *windows)
{
    size_t untold = 0;
    for (size_t i = 0; i < json_array_size(windows); i++) {
        size_t of = count_of(json_array_get(windows, i), "unacknowledged");
        untold = of > untold ? of : untold;
    }
    if (untold > 0) {
        printf("%zu peer%s being told of it; --wait waits until all know, and mailflowctl "
               "maintenance list shows who does.\n",
               untold, untold == 1 ? " is" : "s are");
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
    text_append_encoded(&text, answer_text(before, "id"));
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

// "mx01 (HTTP: connection refused), mx03 (...)"
static void append_unknowing(const json_t *window, struct text *out)
{
    const json_t *list = json_object_get(window, "unacknowledged");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const char *why = answer_text(entry, "why");
        text_append(out, i == 0 ? "" : ", ");
        format_text(answer_text(entry, "peer"), out);
        if (why[0] != '\0') {
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
            append_unknowing(window, &text);
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

static bool all_say(const struct wait *wait)
{
    for (size_t i = 0; i < json_array_size(wait->windows); i++) {
        if (!says_who_knows(json_array_get(wait->windows, i))) {
            return false;
        }
    }
    return true;
}

// Nothing more can come of waiting: all know, or this agent will not say.
static bool is_over(const struct wait *wait)
{
    return !all_say(wait) || all_know(wait);
}

// ---- how it ends ----

// The names of all who do not know one of the windows, each once, as a new list of entries.
static json_t *collect_unknowing(const struct wait *wait)
{
    json_t *seen = memory_checked(json_object()), *all = memory_checked(json_array());
    for (size_t i = 0; i < json_array_size(wait->windows); i++) {
        const json_t *window = json_array_get(wait->windows, i);
        const json_t *list = json_object_get(window, "unacknowledged");
        for (size_t k = 0; k < json_array_size(list); k++) {
            json_t *entry = json_array_get(list, k);
            const char *peer = answer_text(entry, "peer");
            if (json_object_get(seen, peer) == NULL) {
                json_object_set_new(seen, peer, json_true());
                json_array_append(all, entry);
            }
        }
    }
    json_decref(seen);
    return all;
}

// Whether work is announced by it: it has neither ended nor been called off.
static bool is_ahead(const json_t *window)
{
    const char *state = answer_text(window, "state");
    return !answer_true(window, "cancelled") &&
           (strcmp(state, "announced") == 0 || strcmp(state, "active") == 0);
}

static void print_unknowing(const struct wait *wait, const json_t *unknowing)
{
    for (size_t i = 0; i < json_array_size(unknowing); i++) {
        char line[LINE_SIZE];
        struct text text = TEXT_OVER(line);
        const json_t *entry = json_array_get(unknowing, i);
        format_text(answer_text(entry, "peer"), &text);
        text_append(&text, " does not know: ");
        format_text(answer_text(entry, "why"), &text);
        puts(line);
    }
    puts(is_ahead(json_array_get(wait->windows, 0))
             ? "The window is set and they go on being told; one that never learns of it will "
               "alert on the work."
             : "It is done and they go on being told; one that has not learned of it goes by what "
               "it knew.");
    fflush(stdout);
}

static void fail_all(const struct wait *wait)
{
    char message[LINE_SIZE];
    struct text text = TEXT_OVER(message);
    json_t *unknowing = collect_unknowing(wait);
    const json_t *first = json_array_get(wait->windows, 0);
    size_t windows = json_array_size(wait->windows), missing = json_array_size(unknowing);
    size_t all = count_of(first, "acknowledged") + count_of(first, "unacknowledged");
    all = all < missing ? missing : all;
    if (for_people(wait)) {
        print_unknowing(wait, unknowing);
    }
    text_append(&text, "after ");
    span_append(wait->context->command->wait, &text);
    text_format(&text, " %zu of %zu peer%s %s not know of ", missing, all, all == 1 ? "" : "s",
                missing == 1 ? "does" : "do");
    if (windows == 1) {
        text_append(&text, "window ");
        format_text(answer_text(first, "id"), &text);
    } else {
        text_format(&text, "all %zu windows", windows);
    }
    for (size_t i = 0; i < missing; i++) {
        text_append(&text, i == 0 ? ": " : ", ");
        format_text(answer_text(json_array_get(unknowing, i), "peer"), &text);
    }
    report_failure(wait->context, EXIT_REFUSED, message);
    json_decref(unknowing);
}

// The server concerned learns of it as all do, but the work need not wait for it.
static void print_nobody(const struct wait *wait)
{
    char line[LINE_SIZE], own[SERVER_NAME_SIZE];
    struct text text = TEXT_OVER(line);
    const char *server = answer_text(json_array_get(wait->windows, 0), "server");
    if (!peers_ask_own_name(wait->context->client, own) || strcmp(own, server) == 0) {
        puts("There is no other agent to tell: no peer has one.");
        return;
    }
    text_append(&text, "There is nobody to wait for: an agent on ");
    format_text(server, &text);
    text_append(&text, " itself is told at once, but not waited for, and no other peer has one.");
    puts(line);
}

static int conclude(const struct wait *wait)
{
    size_t peers = 0;
    if (!all_say(wait)) {
        return report_failure(wait->context, EXIT_REFUSED,
                              "the agent does not say who knows of the window: is it of an earlier "
                              "version?");
    }
    if (!all_know(wait)) {
        fail_all(wait);
        return EXIT_REFUSED;
    }
    for (size_t i = 0; i < json_array_size(wait->windows); i++) {
        size_t known = count_of(json_array_get(wait->windows, i), "acknowledged");
        peers = known > peers ? known : peers;
    }
    if (for_people(wait) && peers == 0) {
        print_nobody(wait);
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
