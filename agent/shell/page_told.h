// What others have told of one probe: bounces and delays, the route by its Received lines, what the
// receiving server found of its authentication, and the dialogue of its submission. Made of its
// JSON; a section each, or nothing where nothing is known.
#ifndef MAILFLOW_SHELL_PAGE_TOLD_H
#define MAILFLOW_SHELL_PAGE_TOLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/instant.h"
#include "base/text.h"

void page_append_reports(struct text *out, const json_t *probe, struct walltime now);
void page_append_probe_route(struct text *out, const json_t *probe);
void page_append_authentication(struct text *out, const json_t *probe);

// The next lines, which `line` counts; false when all are out.
bool page_transcript_next(struct text *out, const json_t *probe, size_t *line);

#endif
