// How things that went wrong are told, and JSON printed. Messages go to standard error behind the
// program's name; those of a monitoring plugin to standard output, as its first line.
#ifndef MAILFLOW_CTL_REPORT_H
#define MAILFLOW_CTL_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/verb.h"

// Tells the error and returns the exit code, which for a plugin is always "unknown".
int report_failure(const struct context *context, enum exit_code code, const char *message);

// JSON for scripts, one line; on a terminal for people, indented, with nothing in it that the
// terminal could take for an order.
void report_json(const struct context *context, const json_t *json);

// The same as one of many: one line without its end, on a terminal too.
void report_json_item(const struct context *context, const json_t *json);

// Asks the agent. NULL when that failed: then it has been reported and *exit_code says how to end.
// `name` (or NULL) is the server asked for: a refusal then says which one was probably meant.
json_t *report_ask(const struct context *context, const char *method, const char *target,
                   const json_t *request, const char *name, int *exit_code);

#endif
