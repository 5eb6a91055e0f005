// The latency of a path over time, drawn here: time from left to right, latency on a logarithmic
// scale, the median in its smoke, maintenance shaded, what did not come on time marked. For those
// without scripts; with them Chart.js draws the same values.
//
// It is as wide as there is room for: places along the time are per cent, curves lie in a drawing
// of their own that is stretched.
#ifndef MAILFLOW_SHELL_PAGE_CHART_H
#define MAILFLOW_SHELL_PAGE_CHART_H

#include "base/text.h"
#include "shell/agent.h"
#include "shell/path_query.h"

struct page_chart {
    const struct agent *agent;
    const struct path_query *query;
    const struct smoke *smoke;
    // Of the drawing, set with the first part.
    double least; // the scale's end, as a logarithm ...
    double range; // ... and its extent
    unsigned part;
    size_t mark;
};

// Appends the next part; false with the last.
bool page_chart_next(struct text *out, struct page_chart *chart);

#endif
