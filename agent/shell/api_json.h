// The objects of the API (config/openapi.yaml): plain values to JSON. Times are RFC 3339 in UTC
// with microseconds, null when there is none; spans are seconds.
#ifndef MAILFLOW_SHELL_API_JSON_H
#define MAILFLOW_SHELL_API_JSON_H

#include <jansson.h>

#include "core/core.h"
#include "shell/store.h"

// A string; bytes that are no UTF-8 are escaped.
json_t *api_json_text(const char *value);

void api_json_time(json_t *object, const char *name, struct walltime value);
void api_json_null(json_t *object, const char *name);
void api_json_span(json_t *object, const char *name, struct span value);
void api_json_span_if(json_t *object, const char *name, bool known, struct span value);

// null instead of "".
void api_json_text_if(json_t *object, const char *name, const char *value);

json_t *api_json_path(const struct core *core, int peer, enum direction direction,
                      struct moment now);
json_t *api_json_mailbox(const struct mailbox *mailbox);

#endif
