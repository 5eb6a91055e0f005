// What a server reported of a probe, in words for people.
#ifndef MAILFLOW_CTL_BOUNCE_WORDS_H
#define MAILFLOW_CTL_BOUNCE_WORDS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"

// When, what, and why, in one line. False when nothing was reported: nothing is appended then.
bool bounce_words(const json_t *bounce, struct text *out);

// Why: " 5.1.1, says mx01.example: 550 5.1.1 no such user", as far as it is known.
void bounce_reason(const json_t *bounce, struct text *out);

#endif
