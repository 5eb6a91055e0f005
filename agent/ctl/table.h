// Tables for people: columns as wide as their widest cell, numbers to the right. Where the terminal
// is narrower, columns that may be cut are cut, and then whole columns are left out and named below
// the table, so that no line ever wraps unless even the columns that matter most are too wide.
// Cells are escaped here: any bytes may be handed in. Empty ones show as "-".
#ifndef MAILFLOW_CTL_TABLE_H
#define MAILFLOW_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "ctl/terminal.h"

enum { TABLE_COLUMNS_MAXIMUM = 12, TABLE_CELL_SIZE = 512 };

struct table_column {
    const char *title;
    bool right;        // aligned
    bool timed;        // local times: their zone stands behind the title
    unsigned least;    // width that it has from the start
    unsigned cut;      // may be cut to this width; 0 = never
    unsigned sequence; // left out in this order, 1 first; 0 = never
};

struct table;

// The columns and the terminal must outlive the table.
struct table *table_create(const struct table_column *columns, size_t count,
                           const struct terminal *terminal);
void table_destroy(struct table *table);

// The next cell; rows follow from the number of columns.
void table_add(struct table *table, const char *text, enum colour colour);

// Prints the rows added since the last time, before the first ones the titles, and forgets them.
// Widths only grow, so that rows printed in portions stand under each other.
void table_print(struct table *table, FILE *out);

#endif
