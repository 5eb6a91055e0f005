// Bytes of a message where they stand, not NUL-terminated: lines and words of it. Whatever a
// stranger wrote: nothing is copied, nothing recurses, every step moves on.
#ifndef MAILFLOW_PROBES_COLLECT_BYTES_H
#define MAILFLOW_PROBES_COLLECT_BYTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct bytes {
    const char *at;
    const char *end;
};

size_t bytes_length(struct bytes bytes);

// The next line without its end, taken off the front; false when there is none.
bool bytes_take_line(struct bytes *bytes, struct bytes *line);

// Without the white space at both ends.
struct bytes bytes_trim(struct bytes bytes);

// These three without case.
bool bytes_equal(struct bytes bytes, const char *word);
bool bytes_begin_with(struct bytes bytes, const char *word);
bool bytes_contain(struct bytes bytes, const char *word);

// Appends them as words for people: runs of white space as one blank and none at the ends, control
// bytes and what is no UTF-8 as question marks.
void bytes_append_words(struct bytes bytes, struct text *out);

#endif
