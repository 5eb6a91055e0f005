// Text for the status page: everything from outside is escaped here, and times and durations are
// written as one reads them at three in the morning.
#ifndef MAILFLOW_SHELL_PAGE_TEXT_H
#define MAILFLOW_SHELL_PAGE_TEXT_H

#include "base/instant.h"
#include "base/text.h"

// HTML for text and quoted attributes; control bytes and bytes that are no UTF-8 become visible.
void page_append_escaped(struct text *out, const char *value);

// "2.1 ms", "420 ms", "1.42 s", "82.4 s", "48 min 46 s", "3 h 5 min", "2 d 4 h".
void page_append_span(struct text *out, struct span of);

// "2026-01-04 02:00:00 (12 s ago)", "... (in 5 min)", or a dash when there is no such time.
void page_append_time(struct text *out, struct walltime at, struct walltime now);

#endif
