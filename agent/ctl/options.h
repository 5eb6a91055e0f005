// The options of mailflowctl, all verbs' together: one row each in option_rows.c, from which they
// are parsed and explained. Which of them a verb takes stands in its row (verb.h).
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
    OPTION_OF,
    OPTION_LIVE,
    OPTION_PROBERS,
    OPTION_YES,
    OPTION_UNTESTED,
    OPTION_SERVER,
    OPTION_IMAP,
    OPTION_IMAP_TLS,
    OPTION_USER,
    OPTION_PASSWORD_FILE,
    OPTION_CA_FILE,
    OPTION_FOLDER,
    OPTION_ADDRESS,
    OPTION_RELAY,
    OPTION_RELAY_TLS,
    OPTION_RELAY_USER,
    OPTION_RELAY_PASSWORD_FILE,
    OPTION_RELAY_CA_FILE,
    OPTION_AGENT_URL,
    OPTION_LISTEN,
    OPTION_STATE_DIR,
    OPTION_PEER,
    OPTIONS
};

#define OPTION_BIT(option) (UINT64_C(1) << (option))

// Those that every verb takes.
#define OPTIONS_GLOBAL                                                                             \
    (OPTION_BIT(OPTION_CONTROL) | OPTION_BIT(OPTION_CONFIG) | OPTION_BIT(OPTION_TIMEOUT) |         \
     OPTION_BIT(OPTION_JSON) | OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION))

enum { COMMAND_WORDS_MAXIMUM = 8, COMMAND_WINDOWS_MAXIMUM = 32, COMMAND_TEXTS_MAXIMUM = 64 };

// A maintenance window as given: SERVER=BEGIN/END or SERVER=BEGIN/DURATION.
struct command_window {
    char server[SERVER_NAME_SIZE];
    struct walltime begin;
    struct walltime end;
};

// The values of an option that may be given again.
struct command_texts {
    const char *items[COMMAND_TEXTS_MAXIMUM];
    size_t count;
};

// The answers of setup and join, where they were given; NULL where not.
struct command_setup {
    bool yes;
    bool untested;
    const char *server;
    const char *imap;
    const char *imap_tls;
    const char *user;
    const char *password_file;
    const char *ca_file;
    struct command_texts folders;
    const char *address;
    const char *relay;
    const char *relay_tls;
    const char *relay_user;
    const char *relay_password_file;
    const char *relay_ca_file;
    const char *agent_url;
    struct command_texts listen;
    const char *state_dir;
    struct command_texts peers;
};

// A command line, read. Texts point into argv.
struct command {
    uint64_t given; // bits of enum option
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
    const char *of;
    bool live;
    const char *probers;
    struct command_setup setup;
    const char *words[COMMAND_WORDS_MAXIMUM]; // verb and arguments
    size_t word_count;
    const char *unknown; // what stands for an option, if that is the first error
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

// The one of the set that the word is nearest to, or NULL.
const char *option_nearest(const char *word, uint64_t set);

// What an option does for one verb, in the form of its usual help; a list ends with OPTIONS.
struct option_meaning {
    enum option option;
    const char *help;
};

// What it says of an option; its line breaks are those of the screen. `meanings` may be NULL.
const char *option_help(enum option option, const struct option_meaning *meanings);

// One line or more for each option in the set. `meanings` may be NULL.
void options_print_help(uint64_t set, const struct option_meaning *meanings, FILE *out);

#endif
