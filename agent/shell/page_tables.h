// The tables of the status page: one row per incident, window, path and mailbox.
#ifndef MAILFLOW_SHELL_PAGE_TABLES_H
#define MAILFLOW_SHELL_PAGE_TABLES_H

#include "shell/agent.h"

struct page_table {
    const char *title;
    const char *class; // of the table, "" for none
    const char *head;  // the header row's cells, "" when the first row is one
    const char *none;  // said when there is no row
    size_t (*count)(const struct agent *agent);
    // Appends the row; nothing when this one is not to be shown.
    void (*row)(struct text *out, const struct agent *agent, size_t index, struct moment now);
};

enum { PAGE_TABLES = 5 };
extern const struct page_table PAGE_TABLE[PAGE_TABLES];

#endif
