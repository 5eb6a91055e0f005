// A command run on behalf of the agent: without a shell, with an environment of its own, no
// descriptors but its three streams, standard input empty, and in a session of its own. Whatever it
// started is dead when this returns, for processes that have lost their parent become ours
// (PR_SET_CHILD_SUBREAPER); none outlives us either, as long as we are not killed outright.
#ifndef MAILFLOW_PROBES_TOKEN_COMMAND_H
#define MAILFLOW_PROBES_TOKEN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/token.h"

enum { COMMAND_OUTPUT_MAXIMUM = 65536, COMMAND_WORDS_SIZE = 513 };

struct command_output {
    char words[COMMAND_WORDS_SIZE]; // the first line of its standard error, as it is
    size_t length;
    char bytes[COMMAND_OUTPUT_MAXIMUM + 1]; // of its standard output; one more is too much
};

// To be called once. From then on the death of the parent is a SIGTERM.
bool command_prepare(struct error *error);

// Runs the job's words until they end or the deadline comes. True when the command ended by itself,
// with status 0, and did not print too much; else false with the reason, its words not included.
// SIGTERM, SIGINT and SIGHUP wait meanwhile until the command is dead.
bool command_run(const struct token_job *job, struct command_output *output, struct error *error);

#endif
