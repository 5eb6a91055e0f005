// What somebody who mistyped a name probably meant.
#ifndef MAILFLOW_BASE_SUGGEST_H
#define MAILFLOW_BASE_SUGGEST_H

#include <stddef.h>

// The candidate with the fewest edits from the word (insertion, deletion, substitution, two
// neighbours swapped), the first of equals; NULL when none is near: more than one edit in three
// characters, at most three. Words longer than 64 bytes are near nothing, and so are names that
// differ by a number alone, as those of servers do: the other one exists, and is not meant.
const char *suggest_nearest(const char *word, const char *const *candidates, size_t count);

#endif
