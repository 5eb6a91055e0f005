// Text for the status page: everything from outside is escaped here, and times and durations are
// written as one reads them at three in the morning.
#ifndef MAILFLOW_SHELL_PAGE_TEXT_H
#define MAILFLOW_SHELL_PAGE_TEXT_H

#include "base/instant.h"
#include "base/text.h"

// HTML for text and quoted attributes; control bytes and bytes that are no UTF-8 become visible.
void page_append_escaped(struct text *out, const char *value);

// "2.1 ms", "420 ms", "1.42 s", "60 s", "82.4 s", "48 min 46 s", "3 h 5 min", "2 d 4 h".
void page_append_span(struct text *out, struct span of);

// "02:00:00 (12 s ago)", "... (in 5 min)", with the date in front unless it is today's (UTC), or a
// dash when there is no such time.
void page_append_time(struct text *out, struct walltime at, struct walltime now);

// The same without how long ago that is, and with so many digits of its second's fraction.
void page_append_clock(struct text *out, struct walltime at, struct walltime now, int digits);

// "in 12 min 4 s", which a script keeps true, or "12 s ago".
void page_append_countdown(struct text *out, struct walltime at, struct walltime now);

// The address of a path's view.
void page_append_path_url(struct text *out, const char *path);

// "mx02->mx01" with an arrow; other subjects as they are. And as a link to its view.
void page_append_path(struct text *out, const char *path);
void page_append_path_link(struct text *out, const char *path);

#endif
