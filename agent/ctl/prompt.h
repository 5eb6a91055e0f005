// Questions to a person at a terminal. interrupt_hold must have been called: Ctrl-C ends a question
// without an answer, and the terminal echoes again whatever happens.
#ifndef MAILFLOW_CTL_PROMPT_H
#define MAILFLOW_CTL_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

// Whether somebody can be asked: standard input and output are a terminal.
bool prompt_possible(void);

// Asks "QUESTION [USUAL]: " on standard output. An empty answer leaves `answer`, which is the usual
// one, as it is; "-" empties it. False when the input has ended or was interrupted.
bool prompt_ask(const char *question, char *answer, size_t size);

// The same without showing what is typed, nor the usual answer.
bool prompt_ask_secret(const char *question, char *answer, size_t size);

// The first line of standard input, for a secret that is piped in; false with the reason.
bool prompt_read_piped(const char *what, char *line, size_t size, struct error *error);

#endif
