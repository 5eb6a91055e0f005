// What a token command printed: one bearer token, or the JSON object of an OAuth token endpoint
// (RFC 6749, sections 5.1 and 5.2), of which access_token and expires_in count. Pure. What it says
// of an answer never has a byte of a token in it.
#ifndef MAILFLOW_PROBES_TOKEN_ANSWER_H
#define MAILFLOW_PROBES_TOKEN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "probes/token.h"

// Fills token and lifetime; false with the reason. Blanks and line ends around it are dropped. A
// lifetime of less than nothing is none, one of more than ANSWER_DAYS_MAXIMUM days is so long.
enum { ANSWER_DAYS_MAXIMUM = 30 };
bool answer_read(const char *bytes, size_t length, struct token_outcome *out, struct error *error);

// The words of a command that failed: escaped, and what may be a secret (a word of more than
// ANSWER_WORD_MAXIMUM bytes that a token may consist of) as three asterisks.
enum { ANSWER_WORD_MAXIMUM = 64 };
void answer_append_words(struct text *text, const char *words);

#endif
