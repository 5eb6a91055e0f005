// The probes of one path, newest first, page by page as the agent hands them out.
#ifndef MAILFLOW_CTL_PROBE_PAGES_H
#define MAILFLOW_CTL_PROBE_PAGES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/instant.h"
#include "ctl/verb.h"

struct probe_pages {
    const struct context *context;
    const char *path; // "mx02->mx01"
    const char *since;
    int64_t page_size;
    json_t *page;  // the answer at hand, NULL before the first
    size_t index;  // of the probe at hand
    char next[64]; // cursor, "" when the page at hand is the last
};

// All must outlive the pages; give them back with probe_pages_close.
struct probe_pages probe_pages_of(const struct context *context, const char *path,
                                  const char *since, int64_t page_size);
void probe_pages_close(struct probe_pages *pages);

// The probe at hand in *probe, NULL when there are no more. False when the agent could not be
// asked: reported, with the exit code.
bool probe_pages_peek(struct probe_pages *pages, const json_t **probe, int *exit_code);
void probe_pages_advance(struct probe_pages *pages);

// When a probe was sent, or was to be; none when it is not said.
struct walltime probe_time(const json_t *probe);

#endif
