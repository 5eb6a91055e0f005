// Whole numbers as others write them: decimal digits and nothing else.
#ifndef MAILFLOW_BASE_NUMBER_H
#define MAILFLOW_BASE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

// False when the text is anything but digits (no sign, no blanks), or a number outside [least,
// most]; then *out is left alone.
bool number_parse(const char *text, int64_t least, int64_t most, int64_t *out);

#endif
