// The matrix of our paths: a row for each peer, a cell for either way, with state, latency and its
// course. Of very many peers only those with whom something is the matter are shown.
#ifndef MAILFLOW_SHELL_PAGE_PATHS_H
#define MAILFLOW_SHELL_PAGE_PATHS_H

#include "shell/agent.h"

struct page_matrix {
    size_t peer;
    size_t shown;
};

// Appends the next rows, or nothing; false when all are out.
bool page_paths_next(struct text *out, const struct agent *agent, struct page_matrix *matrix,
                     struct moment now);

// "All 8 paths are ok.", or how many are in which state, as a paragraph; nothing of very many
// peers.
void page_paths_summary(struct text *out, const struct agent *agent, struct moment now);

// Paths of which nobody can tell whether mail flows, and the first of them; of very many peers
// none.
struct page_unknown {
    size_t count;
    int peer;
    enum direction direction;
};
struct page_unknown page_paths_unknown(const struct agent *agent, struct moment now);

// Whether there are so many that their paths are not counted.
bool page_paths_are_many(const struct agent *agent);

// "Of 10,000 peers ...", for the table's caption.
void page_paths_caption(struct text *out, const struct agent *agent);

#endif
