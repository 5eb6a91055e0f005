// The matrix of the mesh as the agent tells it, drawn for people: who sends down, who receives
// across, one mark a path; beneath it whose fault it seems to be.
#ifndef MAILFLOW_CTL_MATRIX_H
#define MAILFLOW_CTL_MATRIX_H

#include <jansson.h>

#include "ctl/terminal.h"

// More are not drawn: what is bad is listed only.
enum { MATRIX_DRAWN_MAXIMUM = 150 };

// `servers` and `cells` are lists of the answer to /mesh.
void matrix_print(const json_t *servers, const json_t *cells, const struct terminal *terminal);

#endif
