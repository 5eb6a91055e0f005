// What is wrong with a configuration, for people and as JSON.
#ifndef MAILFLOW_CTL_PROBLEMS_H
#define MAILFLOW_CTL_PROBLEMS_H

#include <jansson.h>
#include <stdio.h>

#include "config/config.h"

// A line each, and how many more errors there are.
void problems_print(const struct config_problems *problems, FILE *out);

// What there is in a configuration that is usable.
void problems_print_summary(const struct settings *settings, FILE *out);

json_t *problems_to_json(const struct config_problems *problems);

// As the agent's API tells them: of each its line.
json_t *problems_to_lines(const struct config_problems *problems);

// Such lines, as an agent has sent them.
void problems_print_lines(const json_t *lines, FILE *out);

#endif
