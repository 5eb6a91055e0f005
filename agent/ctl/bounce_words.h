// What a server reported of a probe, in one line for people.
#ifndef MAILFLOW_CTL_BOUNCE_WORDS_H
#define MAILFLOW_CTL_BOUNCE_WORDS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"

// False when nothing was reported: nothing is appended then.
bool bounce_words(const json_t *bounce, struct text *out);

#endif
