// The matrix of the mesh on the status page, a row of the table for each sender: as many servers as
// fit on a screen.
#ifndef MAILFLOW_SHELL_PAGE_MESH_H
#define MAILFLOW_SHELL_PAGE_MESH_H

#include "shell/agent.h"

// Zero when there are too few or too many servers for a matrix. The first row is the head.
size_t page_mesh_count(const struct agent *agent);
void page_mesh_row(struct text *out, const struct agent *agent, size_t index, struct moment now);

#endif
