// How things that went wrong are told, and JSON printed. Messages go to standard error behind the
// program's name; those of a monitoring plugin to standard output, as its first line. With --json
// standard output gets JSON all the same: the first failure as a problem of the API, unless the
// verb has printed what it has.
#ifndef MAILFLOW_CTL_REPORT_H
#define MAILFLOW_CTL_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "config/config.h"
#include "ctl/verb.h"

// Tells the error and returns the exit code, which for a plugin is always "unknown".
int report_failure(const struct context *context, enum exit_code code, const char *message);

// The same of a configuration: every problem of it before the message.
int report_configuration(const struct context *context, const struct config_problems *problems,
                         const char *message);

// Once, when the verb is done: prints the problem with --json where one is due.
void report_end(const struct context *context);

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
