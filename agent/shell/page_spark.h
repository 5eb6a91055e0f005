// A line as small as a word: the newest latencies of a path on a logarithmic scale, drawn here.
#ifndef MAILFLOW_SHELL_PAGE_SPARK_H
#define MAILFLOW_SHELL_PAGE_SPARK_H

#include "base/text.h"
#include "core/decision.h"

// Nothing where fewer than two are known. What came late has a dot.
void page_append_spark(struct text *out, const struct decisions *decisions);

#endif
