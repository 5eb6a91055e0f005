// Recurrence rules (RFC 5545 section 3.3.10), as text: whether one may be handed to the library
// that expands it. What the library accepts is more than maintenance needs: rules that recur every
// second or minute (some of which it never finishes) and other calendars than ours are refused.
#ifndef MAILFLOW_BASE_RECURRENCE_H
#define MAILFLOW_BASE_RECURRENCE_H

#include <stdbool.h>

#include "base/error.h"

// False with what is wrong with the rule.
bool recurrence_check(const char *rule, struct error *error);

#endif
