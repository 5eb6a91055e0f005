// What the manuals say of the configuration, made from the table that reads it. Names and values of
// the configuration stand in `backquotes`.
#ifndef MAILFLOW_CONFIG_REFERENCE_H
#define MAILFLOW_CONFIG_REFERENCE_H

#include <stdio.h>

#include "base/text.h"
#include "config/keys.h"

// All of it as Markdown; config/REFERENCE.md is this, checked in.
void reference_print(FILE *out);

// One map of the configuration: `path` as in "maintenance.windows[]".
typedef void reference_visitor(const char *path, const char *help, const struct section *section,
                               FILE *out);

// Visits the outermost map, then those in it, each before the maps that it holds. What a peer takes
// over from elsewhere is visited there only.
void reference_walk(reference_visitor *visit, FILE *out);

// What a cell of the tables says of a key, of at most REFERENCE_CELL_SIZE - 1 bytes.
enum { REFERENCE_CELL_SIZE = 256 };
void reference_append_type(const struct key *key, struct text *out);
void reference_append_default(const struct key *key, struct text *out);
void reference_append_example(const struct key *key, struct text *out);

#endif
