// What the agent and mailflow-token say to each other: one job in, one outcome out.
//
// The job is a command that prints a bearer token. How long the token is good is what the command
// says of it; a negative span when it says nothing.
#ifndef MAILFLOW_PROBES_TOKEN_H
#define MAILFLOW_PROBES_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"
#include "probes/probe.h"

enum { TOKEN_WORDS_MAXIMUM = 16, TOKEN_WORD_SIZE = 129 };

struct token_job {
    int64_t number;
    struct instant deadline;
    char words[TOKEN_WORDS_MAXIMUM][TOKEN_WORD_SIZE]; // the program, an absolute path, first
    size_t word_count;
    char home[PROBE_PATH_SIZE];        // $HOME of the command
    char credentials[PROBE_PATH_SIZE]; // its $CREDENTIALS_DIRECTORY, "" = none
};

struct token_outcome {
    int64_t number;
    char token[PROBE_TOKEN_SIZE]; // "" when there is none, and `cause` says why
    struct span lifetime;
    char cause[PROBE_REPLY_SIZE];
};

// As in probe.h: one line with its newline, for the caller to free; decoders fill a zeroed value.
char *token_job_encode(const struct token_job *job);
bool token_job_decode(const char *line, size_t length, struct token_job *out, struct error *error);
char *token_outcome_encode(const struct token_outcome *outcome);
bool token_outcome_decode(const char *line, size_t length, struct token_outcome *out,
                          struct error *error);

#endif
