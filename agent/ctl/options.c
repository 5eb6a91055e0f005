#include "ctl/options.h"

#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "base/suggest.h"
#include "base/text.h"
#include "ctl/option_rows.h"
#include "ctl/paragraph.h"
#include "ctl/when.h"

const char *option_name(enum option option)
{
    return OPTION_ROWS[option].name;
}

// A zero needs no unit.
static bool parse_span(const char *from, struct span *out, struct error *error)
{
    if (strcmp(from, "0") == 0) {
        *out = SPAN_ZERO;
        return true;
    }
    return span_parse(from, out) ||
           error_set(error, "not a duration: write 250ms, 15s, 30m, 4h or 5d");
}

static bool parse_count(const char *from, int64_t *out, struct error *error)
{
    return number_parse(from, 1, INT64_MAX, out) || error_set(error, "not a whole number above 0");
}

static bool parse_since(const char *from, struct walltime now, char out[40], struct error *error)
{
    struct span back;
    struct walltime at;
    struct text text = text_over(out, 40);
    if (span_parse(from, &back)) {
        if (!text_copy(out, 40, from)) {
            return error_set(error, "not a duration: too long");
        }
        return true;
    }
    if (!when_parse(from, now, &at, error)) {
        return error_set(error, "neither a duration (24h) nor a time (2026-07-28T14:30)");
    }
    walltime_append_rfc3339(at, &text);
    return true;
}

static bool parse_kind(const char *from, const char **out, struct error *error)
{
    *out = from;
    return strcmp(from, "routine") == 0 || strcmp(from, "emergency") == 0 ||
           error_set(error, "neither routine nor emergency");
}

// BEGIN/END or BEGIN/DURATION, as ISO 8601 writes an interval, of the past; an END without a date
// is the first after BEGIN.
static bool parse_interval(const char *from, struct walltime now, struct command_window *out,
                           struct error *error)
{
    char begin[64];
    struct span length;
    const char *slash = strchr(from, '/');
    if (slash == NULL || (size_t)(slash - from) >= sizeof begin) {
        return error_set(error, "no BEGIN/END");
    }
    struct text text = TEXT_OVER(begin);
    text_append_bytes(&text, from, (size_t)(slash - from));
    if (!when_parse_past(begin, now, &out->begin, error)) {
        return error_prefix(error, "'%s'", begin);
    }
    if (span_parse(slash + 1, &length)) {
        out->end = walltime_add(out->begin, length);
    } else if (!when_parse(slash + 1, out->begin, &out->end, error)) {
        return error_prefix(error, "'%s'", slash + 1);
    }
    return out->end.ns > out->begin.ns || error_set(error, "it ends before it begins");
}

static bool parse_window(const char *from, struct walltime now, struct command *command,
                         struct error *error)
{
    const char *equals = strchr(from, '=');
    if (command->window_count == COMMAND_WINDOWS_MAXIMUM) {
        return error_set(error, "too many windows, at most %d", COMMAND_WINDOWS_MAXIMUM);
    }
    struct command_window *window = &command->windows[command->window_count];
    struct text server = TEXT_OVER(window->server);
    text_append_bytes(&server, from, equals == NULL ? 0 : (size_t)(equals - from));
    if (equals == NULL || server.truncated || !server_name_valid(window->server)) {
        return error_set(error, "not a window: write mx01=2026-07-28T12:18/30m");
    }
    if (!parse_interval(equals + 1, now, window, error)) {
        return false;
    }
    command->window_count++;
    return true;
}

static bool check_form(const struct option_row *row, const char *value, struct error *error)
{
    return row->form == NULL || form_check(row->form, value, error);
}

static bool add_text(struct command_texts *texts, const char *value, struct error *error)
{
    if (texts->count == COMMAND_TEXTS_MAXIMUM) {
        return error_set(error, "given too often, at most %d times", COMMAND_TEXTS_MAXIMUM);
    }
    texts->items[texts->count++] = value;
    return true;
}

static bool store_value(const struct option_row *row, const char *value, struct walltime now,
                        struct command *out, struct error *error)
{
    void *at = (char *)out + row->offset;
    switch (row->value) {
    case VALUE_NONE:
        *(bool *)at = true;
        return true;
    case VALUE_TEXT:
        *(const char **)at = value;
        return check_form(row, value, error);
    case VALUE_TEXTS:
        return check_form(row, value, error) && add_text(at, value, error);
    case VALUE_SPAN:
        return parse_span(value, at, error);
    case VALUE_WAIT:
        return value == NULL || parse_span(value, at, error);
    case VALUE_COUNT:
        return parse_count(value, at, error);
    case VALUE_KIND:
        return parse_kind(value, at, error);
    case VALUE_TIME:
        return when_parse(value, now, at, error);
    case VALUE_SINCE:
        return parse_since(value, now, at, error);
    case VALUE_WINDOW:
        return parse_window(value, now, out, error);
    }
    return false;
}

// A command line while it is read.
struct scan {
    char **next; // NULL at the end
    struct walltime now;
    struct command *command;
    struct error *error;
    bool failed;
};

// Keeps the first error only.
static void scan_fail(struct scan *scan, const struct error *error)
{
    if (!scan->failed) {
        *scan->error = *error;
        scan->failed = true;
    }
}

// Behind one that may stand alone only what begins like a duration is its value.
static bool takes_next(const struct option_row *row, const char *next)
{
    bool digit = next != NULL && *next >= '0' && *next <= '9';
    return next != NULL && row->value != VALUE_NONE && (row->value != VALUE_WAIT || digit);
}

static void scan_option(struct scan *scan, const struct option_row *row, const char *attached)
{
    struct error error;
    const char *value = attached;
    if (row->value == VALUE_NONE && attached != NULL) {
        error_set(&error, "--%s takes no value", row->name);
        scan_fail(scan, &error);
        return;
    }
    if (value == NULL && takes_next(row, *scan->next)) {
        value = *scan->next++;
    }
    scan->command->given |= OPTION_BIT((unsigned)(row - OPTION_ROWS));
    if (row->value != VALUE_NONE && row->value != VALUE_WAIT && value == NULL) {
        error_set(&error, "--%s needs a %s", row->name, row->shown);
        scan_fail(scan, &error);
    } else if (!store_value(row, value, scan->now, scan->command, &error)) {
        error_prefix(&error, "--%s %s", row->name, value);
        scan_fail(scan, &error);
    }
}

static void scan_long(struct scan *scan, const char *word)
{
    struct error error;
    size_t length = strcspn(word, "=");
    for (int i = 0; i < OPTIONS; i++) {
        const char *name = OPTION_ROWS[i].name;
        if (strlen(name) == length && strncmp(word, name, length) == 0) {
            scan_option(scan, &OPTION_ROWS[i], word[length] == '=' ? word + length + 1 : NULL);
            return;
        }
    }
    error_set(&error, "no option '--%s'", word);
    scan->command->unknown = scan->failed ? scan->command->unknown : word;
    scan_fail(scan, &error);
}

// "-w 10s", "-w10s" or "-w=10s".
static void scan_letter(struct scan *scan, const char *word)
{
    struct error error;
    for (int i = 0; i < OPTIONS; i++) {
        if (OPTION_ROWS[i].letter == word[0]) {
            const char *attached = word[1] == '\0' ? NULL : word + 1 + (word[1] == '=' ? 1 : 0);
            scan_option(scan, &OPTION_ROWS[i], attached);
            return;
        }
    }
    error_set(&error, "no option '-%s'", word);
    scan_fail(scan, &error);
}

static void scan_word(struct scan *scan, const char *word)
{
    struct error error;
    if (scan->command->word_count == COMMAND_WORDS_MAXIMUM) {
        error_set(&error, "too many arguments, from '%s' on", word);
        scan_fail(scan, &error);
        return;
    }
    scan->command->words[scan->command->word_count++] = word;
}

bool command_parse(int argc, char **argv, struct walltime now, struct command *out,
                   struct error *error)
{
    struct scan scan = {
        .next = argc > 0 ? argv + 1 : argv, .now = now, .command = out, .error = error};
    bool options = true;
    *out = (struct command){.config = "/etc/mailflow/mailflow.yaml",
                            .timeout = SPAN_SECONDS(10),
                            .wait = SPAN_SECONDS(60),
                            .probers = MAILFLOW_LIBEXECDIR,
                            .since = "24h"};
    while (*scan.next != NULL) {
        const char *word = *scan.next++;
        if (!options || word[0] != '-' || word[1] == '\0') {
            scan_word(&scan, word);
        } else if (strcmp(word, "--") == 0) {
            options = false;
        } else if (word[1] == '-') {
            scan_long(&scan, word + 2);
        } else {
            scan_letter(&scan, word + 1);
        }
    }
    return !scan.failed;
}

const char *option_nearest(const char *word, uint64_t set)
{
    const char *names[OPTIONS];
    size_t count = 0;
    for (int i = 0; i < OPTIONS; i++) {
        if ((set & OPTION_BIT(i)) != 0) {
            names[count++] = OPTION_ROWS[i].name;
        }
    }
    return suggest_nearest(word, names, count);
}

const char *option_help(enum option option, const struct option_meaning *meanings)
{
    for (; meanings != NULL && meanings->option != OPTIONS; meanings++) {
        if (meanings->option == option) {
            return meanings->help;
        }
    }
    return OPTION_ROWS[option].help;
}

enum { LEFT_WIDTH = 26, HELP_COLUMN = 2 + LEFT_WIDTH };

void options_print_help(uint64_t set, const struct option_meaning *meanings, FILE *out)
{
    for (enum option i = 0; i < OPTIONS; i++) {
        const struct option_row *row = &OPTION_ROWS[i];
        char left[64];
        struct text text = TEXT_OVER(left);
        if ((set & OPTION_BIT(i)) == 0) {
            continue;
        }
        text_format(&text, row->letter == '\0' ? "    " : "-%c, ", row->letter);
        text_format(&text, "--%s %s", row->name, row->shown);
        fprintf(out, "  %-*s", LEFT_WIDTH, left);
        if (text.length >= LEFT_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
        }
        paragraph_print(option_help(i, meanings), HELP_COLUMN, paragraph_width(out), out);
    }
}
