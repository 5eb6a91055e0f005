// Reading the agent's answers. Members may be null or, from an agent of another version, missing:
// both read as unknown ("" or false). Lists that a verb cannot do without are asked for by
// answer_list, which is strict.
#ifndef MAILFLOW_BASE_ANSWER_H
#define MAILFLOW_BASE_ANSWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/instant.h"

// The text as the agent sent it: to be escaped before it is shown.
const char *answer_text(const json_t *object, const char *name);

bool answer_span(const json_t *object, const char *name, struct span *out);
bool answer_time(const json_t *object, const char *name, struct walltime *out);
bool answer_integer(const json_t *object, const char *name, int64_t *out);
bool answer_true(const json_t *object, const char *name);

// The member, an array of objects; NULL with an error when it is anything else.
const json_t *answer_list(const json_t *object, const char *name, struct error *error);

#endif
