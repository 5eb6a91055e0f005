// Maintenance windows as the agent answers them: shown as a table, or told in a sentence.
#ifndef MAILFLOW_CTL_WINDOWS_H
#define MAILFLOW_CTL_WINDOWS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/instant.h"
#include "base/text.h"
#include "ctl/terminal.h"

// The windows as a table, the first to begin first: those that are active or recovering or begin
// within 7 days, or all; under it how many more there are.
void windows_print(const json_t *windows, bool all, struct walltime now,
                   const struct terminal *terminal);

bool window_in_state(const json_t *window, const char *state);

// "2026-07-28 12:18:00 to 12:48:00"
void window_append_span(const json_t *window, struct text *out);

// What an operator is told of a window that has been begun or announced, extended, or ended.
void window_describe_begun(const json_t *window, struct walltime now, struct text *line);
void window_describe_overlapped(const json_t *window, struct walltime now, struct text *line);
void window_describe_extended(const json_t *window, struct walltime now, struct text *line);
void window_describe_again(const json_t *window, struct walltime now, struct text *line);
void window_describe_over(const json_t *window, struct walltime now, struct text *line);

// Such a sentence as a line.
void window_print(const json_t *window, struct walltime now,
                  void (*describe)(const json_t *window, struct walltime now, struct text *line));

#endif
