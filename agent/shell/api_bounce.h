// What servers reported of a probe, in the API: "bounce" when it failed, "delay" when it is, or
// was, delayed, each null otherwise.
#ifndef MAILFLOW_SHELL_API_BOUNCE_H
#define MAILFLOW_SHELL_API_BOUNCE_H

#include <jansson.h>

#include "shell/store.h"

void api_json_bounces(json_t *object, struct store *store, const struct probe_id *probe);

#endif
