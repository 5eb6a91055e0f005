#include "ctl/completion.h"

#include <string.h>

#include "ctl/option_rows.h"

enum { POSITIONALS_MAXIMUM = 4 };

// The line while it is read.
struct reading {
    struct completion *out;
    const struct option_row *pending; // the option whose value is next, or NULL
    const char *positionals[POSITIONALS_MAXIMUM];
    size_t positional_count;
};

static const struct option_row *find_option(const char *word)
{
    bool is_long = word[1] == '-';
    size_t length = strcspn(word + 2, "=");
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option_row *row = &OPTION_ROWS[i];
        bool same = strlen(row->name) == length && strncmp(row->name, word + 2, length) == 0;
        if (is_long ? same : row->letter == word[1] && word[2] == '\0') {
            return row;
        }
    }
    return NULL;
}

static void take_value(struct reading *reading, const struct option_row *row, const char *value)
{
    if (row == &OPTION_ROWS[OPTION_CONTROL]) {
        reading->out->control = value;
    } else if (row == &OPTION_ROWS[OPTION_CONFIG]) {
        reading->out->config = value;
    }
}

static void take_option(struct reading *reading, const char *word)
{
    const struct option_row *row = find_option(word);
    const char *equals = strchr(word, '=');
    if (row != NULL && equals != NULL) {
        take_value(reading, row, equals + 1);
    } else if (row != NULL && row->value != VALUE_NONE) {
        reading->pending = row;
    }
}

static bool is_value(const struct option_row *row, const char *word)
{
    return row->value != VALUE_WAIT || (word[0] >= '0' && word[0] <= '9');
}

static void take_word(struct reading *reading, const char *word)
{
    const struct option_row *row = reading->pending;
    if (row != NULL && strcmp(word, "=") == 0) {
        return;
    }
    reading->pending = NULL;
    if (row != NULL && is_value(row, word)) {
        take_value(reading, row, word);
    } else if (word[0] == '-' && word[1] != '\0') {
        take_option(reading, word);
    } else if (reading->positional_count < POSITIONALS_MAXIMUM) {
        bool help = reading->positional_count == 0 && strcmp(word, "help") == 0;
        reading->positionals[reading->positional_count] = word;
        reading->positional_count += help ? 0 : 1;
    }
}

// By what stands for the value in help.
static void want_value(struct completion *out, const char *shown)
{
    static const struct {
        const char *shown;
        enum completion_want want;
        const char *choices;
    } VALUES[] = {
        {"FILE", COMPLETION_FILES, NULL},
        {"SOCKET", COMPLETION_FILES, NULL},
        {"DIR", COMPLETION_FILES, NULL},
        {"KIND", COMPLETION_WORDS, "routine emergency"},
        {"MODE", COMPLETION_WORDS, "starttls implicit none"},
        {"SERVER", COMPLETION_SERVERS, NULL},
        {"PEER", COMPLETION_PEERS, NULL},
        {"[SERVER]", COMPLETION_SERVERS, NULL},
        {"[ID|SERVER]", COMPLETION_WINDOWS, NULL},
        {"PROBE", COMPLETION_PROBES, NULL},
    };
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        if (strcmp(VALUES[i].shown, shown) == 0) {
            out->want = VALUES[i].want;
            out->choices = VALUES[i].choices;
        }
    }
}

static void want_positional(const struct reading *reading, struct completion *out, size_t used)
{
    if (out->verb == NULL) {
        out->want = reading->positional_count < 2 ? COMPLETION_VERBS : COMPLETION_NOTHING;
        out->group = reading->positional_count == 1 ? reading->positionals[0] : NULL;
    } else if (reading->positional_count - used < out->verb->most) {
        want_value(out, out->verb->arguments);
    }
}

struct completion completion_read(const char *const *words, size_t count)
{
    struct completion out = {.typed = count > 0 ? words[count - 1] : ""};
    struct reading reading = {.out = &out};
    size_t used = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        take_word(&reading, words[i]);
    }
    out.verb = verb_find(reading.positionals, reading.positional_count, &used);
    if (reading.pending != NULL && strcmp(out.typed, "=") == 0) {
        out.typed = "";
    }
    if (reading.pending != NULL && reading.pending->value != VALUE_WAIT) {
        want_value(&out, reading.pending->shown);
    } else if (out.typed[0] == '-') {
        out.want = COMPLETION_OPTIONS;
    } else {
        want_positional(&reading, &out, used);
    }
    return out;
}
