// What somebody who mistyped a name probably meant.
#ifndef MAILFLOW_BASE_SUGGEST_H
#define MAILFLOW_BASE_SUGGEST_H

#include <stddef.h>

// The candidate with the fewest edits from the word (insertion, deletion, substitution, two
// neighbours swapped), the first of equals; NULL when none is near: more than one edit in three
// characters, at most three. Words longer than 64 bytes are near nothing.
const char *suggest_nearest(const char *word, const char *const *candidates, size_t count);

#endif
