// The matrix of the mesh, as this agent knows it: every directed path between servers of which
// somebody has said something. A path has at most two who can tell, its receiver and its sender:
// one of them this agent, or each by its row. The receiver's word counts, the sender's where the
// receiver has none. Rows of more than two intervals say nothing any more.
//
// Visited place by place, for a mesh of thousands has millions of cells: a place holds those of one
// peer's paths with us, or of its row, which is read once.
#ifndef MAILFLOW_CORE_MATRIX_H
#define MAILFLOW_CORE_MATRIX_H

#include "core/core.h"

enum { MATRIX_TELLERS = 2 };

struct matrix_word {
    char by[SERVER_NAME_SIZE];
    enum row_view view; // ROW_UNKNOWN when it is too old
    bool dated;
    struct span age; // of the row, or since the last arrival on a path of ours; when dated
};

struct matrix_cell {
    char from[SERVER_NAME_SIZE];
    char to[SERVER_NAME_SIZE];
    enum row_view view;
    int peer; // a path of ours, with this peer; -1 for others
    enum direction direction;
    struct matrix_word words[MATRIX_TELLERS]; // the one that counts first
    size_t word_count;
};

size_t matrix_places(const struct core *core);
typedef void matrix_visitor(void *context, const struct matrix_cell *cell);
void matrix_visit(const struct core *core, size_t place, struct moment now, matrix_visitor *visit,
                  void *context);

// The path between two servers: peers, or OWN_SERVER.
struct matrix_cell matrix_between(const struct core *core, int from, int to, struct moment now);

#endif
