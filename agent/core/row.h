// The value of Mailflow-Row: which other servers mail passes through, as its writer sees it, and
// through which it does not. Another agent's row is a witness for a server that we cannot hear.
//
//   Mailflow-Row: ok=mx01 mx03; bad=mx07
//
// What is not in it is not known, or did not fit.
#ifndef MAILFLOW_CORE_ROW_H
#define MAILFLOW_CORE_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum row_view { ROW_UNKNOWN, ROW_OK, ROW_BAD };

enum { ROW_SIZE = 360 };

// Appends a server to the list of those of one view; false when it does not fit. The lists come one
// after the other, `first` begins one.
bool row_add(struct text *out, enum row_view view, const char *server, bool first);

// What a row says of a server. Any text is a row, though it may say nothing.
enum row_view row_find(const char *row, const char *server);

#endif
