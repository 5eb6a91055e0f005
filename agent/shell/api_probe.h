// One probe's whole life as the API tells it, down to the windows that touch it and the rule by
// which it was judged.
#ifndef MAILFLOW_SHELL_API_PROBE_H
#define MAILFLOW_SHELL_API_PROBE_H

#include <jansson.h>

#include "shell/agent.h"

json_t *api_json_probe(const struct agent *agent, const struct store_probe *probe,
                       struct walltime now);

#endif
