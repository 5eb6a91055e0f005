// The table of options: how each is written, what its value is, how it is explained. A row here and
// an enumerator in options.h are all that a new one needs, when its value is of a kind that there
// is.
#ifndef MAILFLOW_CTL_OPTION_ROWS_H
#define MAILFLOW_CTL_OPTION_ROWS_H

#include <stddef.h>

#include "ctl/form.h"
#include "ctl/options.h"

enum option_value {
    VALUE_NONE,
    VALUE_TEXT,  // of the row's form
    VALUE_TEXTS, // the same, and the option may be given again
    VALUE_SPAN,
    VALUE_WAIT, // a span that need not be given
    VALUE_COUNT,
    VALUE_KIND,
    VALUE_TIME,
    VALUE_SINCE,
    VALUE_WINDOW
};

struct option_row {
    const char *name;
    char letter; // '\0' = long only
    enum option_value value;
    const char *shown; // what stands for the value in help
    size_t offset;     // in struct command
    const char *help;
    const struct form *form; // of a text; NULL = any
};

extern const struct option_row OPTION_ROWS[OPTIONS];

#endif
