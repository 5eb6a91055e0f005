// A strict reader of metrics, in place of a scraper: what it lets pass, Prometheus takes.
#ifndef MAILFLOW_TEST_METRICS_CHECK_H
#define MAILFLOW_TEST_METRICS_CHECK_H

#include <stdbool.h>

#include "base/error.h"

// Every line parses; every sample belongs to the family announced last, with HELP and TYPE; no
// family comes twice and no sample; histograms are cumulative and their +Inf is their count;
// OpenMetrics ends in "# EOF" and names counters and infos by its rules.
bool metrics_check(const char *text, bool openmetrics, struct error *error);

#endif
