// The tables of the status page that are written row by row: windows, mesh, mailboxes,
// certificates.
#ifndef MAILFLOW_SHELL_PAGE_TABLES_H
#define MAILFLOW_SHELL_PAGE_TABLES_H

#include "shell/agent.h"

struct page_table {
    const char *id;
    const char *title;
    const char *caption;
    const char *class; // of the table, "" for none
    const char *head;  // the header row's cells, "" when the first row is one
    const char *none;  // said when there is no row; "": nothing at all is
    size_t (*count)(const struct agent *agent);
    // Appends the row; nothing when this one is not to be shown.
    void (*row)(struct text *out, const struct agent *agent, size_t index, struct moment now);
};

extern const struct page_table PAGE_WINDOWS;
extern const struct page_table PAGE_MESH;
extern const struct page_table PAGE_MAILBOXES;
extern const struct page_table PAGE_CERTIFICATES;

// Where the writing of a table stands.
struct page_rows {
    size_t row;
    bool titled;
    bool filled; // a row of it is out
};

// Appends the next rows, or nothing; false when the table is out.
bool page_table_next(struct text *out, const struct page_table *table, const struct agent *agent,
                     struct page_rows *rows, struct moment now);

#endif
