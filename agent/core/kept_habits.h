// Habits as a path keeps them, in one piece of memory no larger than they are: most paths know one
// route, of the many that they may.
#ifndef MAILFLOW_CORE_KEPT_HABITS_H
#define MAILFLOW_CORE_KEPT_HABITS_H

#include <stdbool.h>

#include "core/habits.h"

struct kept_habits; // to be freed by free()

// False, and all zero, when nothing is kept (NULL).
bool kept_habits_get(const struct kept_habits *kept, struct habits *out);

// In the place of what is kept there.
void kept_habits_put(struct kept_habits **place, const struct habits *habits);

#endif
