// The options of mailflowctl, all verbs' together: one row each in options.c, from which they are
// parsed and explained. Which of them a verb takes stands in its row (verb.h).
#ifndef MAILFLOW_CTL_OPTIONS_H
#define MAILFLOW_CTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/instant.h"
#include "base/tag_codec.h"

enum option {
    OPTION_CONTROL,
    OPTION_CONFIG,
    OPTION_TIMEOUT,
    OPTION_JSON,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_WAIT,
    OPTION_WARNING,
    OPTION_CRITICAL,
    OPTION_SINCE,
    OPTION_LIMIT,
    OPTION_FOR,
    OPTION_KIND,
    OPTION_REASON,
    OPTION_AT,
    OPTION_FORCE,
    OPTION_LEDGER,
    OPTION_WINDOW,
    OPTION_NO_WINDOWS,
    OPTION_EFFECTIVE,
    OPTION_ALL,
    OPTIONS
};

#define OPTION_BIT(option) (UINT32_C(1) << (option))

// Those that every verb takes.
#define OPTIONS_GLOBAL                                                                             \
    (OPTION_BIT(OPTION_CONTROL) | OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_TIMEOUT) |         \
     OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION))

enum { COMMAND_WORDS_MAXIMUM = 8, COMMAND_WINDOWS_MAXIMUM = 32 };

// A maintenance window as given: SERVER=BEGIN/END or SERVER=BEGIN/DURATION.
struct command_window {
    char server[SERVER_NAME_SIZE];
    struct walltime begin;
    struct walltime end;
};

// A command line, read. Texts point into argv.
struct command {
    uint32_t given; // bits of enum option
    const char *control;
    const char *config;
    struct span timeout;
    bool json;
    bool help;
    bool version;
    struct span wait;
    struct span warning;
    struct span critical;
    char since[40]; // as the API takes it: a duration, or RFC 3339
    int64_t limit;
    struct span duration;
    const char *kind;
    const char *reason;
    struct walltime at;
    bool force;
    const char *ledger;
    struct command_window windows[COMMAND_WINDOWS_MAXIMUM];
    size_t window_count;
    bool no_windows;
    bool effective;
    bool all;
    const char *words[COMMAND_WORDS_MAXIMUM]; // verb and arguments
    size_t word_count;
};

static inline bool command_given(const struct command *command, enum option option)
{
    return (command->given & OPTION_BIT(option)) != 0;
}

// Reads the whole command line, past the first error too, so that the verb is known when it is
// told. False with the first error.
bool command_parse(int argc, char **argv, struct walltime now, struct command *out,
                   struct error *error);

// "--for"
const char *option_name(enum option option);

// One line or more for each option in the set.
void options_print_help(uint32_t set, FILE *out);

#endif
