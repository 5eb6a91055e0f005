// The certificates that were seen, as a list of the API.
#ifndef MAILFLOW_SHELL_API_CERTIFICATE_H
#define MAILFLOW_SHELL_API_CERTIFICATE_H

#include <jansson.h>
#include <stddef.h>

#include "core/core.h"

// By the core's index. NULL where no TLS is spoken, or nothing has been seen yet.
json_t *api_json_certificate(const struct core *core, size_t index, struct moment now);

#endif
