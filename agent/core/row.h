// The value of Mailflow-Row: which other servers mail passes through, as its writer sees it, and
// through which it does not, each way. Another agent's row is a witness for a server that we cannot
// hear, and its part of the matrix of the mesh.
//
//   Mailflow-Row: bad=mx07; out-only=mx09; ok=mx01 mx03; in-ok=mx04
//
// Each server stands in at most one list. `ok` and `bad` are about both ways; `in-` about what
// comes from it, `out-` about what goes to it, and the other way is then not known, but for
// `-only`: that way is ok and the other is bad. What is in none is not known, or did not fit. A
// list of another name belongs to a later version and is passed over.
#ifndef MAILFLOW_CORE_ROW_H
#define MAILFLOW_CORE_ROW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/tag_codec.h"
#include "base/text.h"
#include "core/stats.h"

enum row_view { ROW_UNKNOWN, ROW_OK, ROW_BAD };
const char *row_view_name(enum row_view view);

enum { ROW_SIZE = 360 };

// What is known of one server, by the way that mail goes: INBOUND from it to the writer.
struct row_entry {
    char server[SERVER_NAME_SIZE];
    enum row_view ways[DIRECTIONS];
};

// Writes a row of the entries in their order, what is bad first; what does not fit is left out.
void row_format(const struct row_entry *entries, size_t count, struct text *out);

// Reads the next entry and moves past it, from the start of a row (any text is one, though it may
// say nothing); false at its end. A name that is none is passed over.
struct row_reader {
    const char *at;
    const struct row_list *list; // that `at` stands in, NULL before one
};
struct row_reader row_read(const char *row);
bool row_next(struct row_reader *reader, struct row_entry *out);

// What a row says of a server: false when it does not name it.
bool row_find(const char *row, const char *server, struct row_entry *out);

// Mail passes through it if it does so either way.
enum row_view row_entry_view(const struct row_entry *entry);

#endif
