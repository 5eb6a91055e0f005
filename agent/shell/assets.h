// GET /assets/NAME: what the page loads, its style sheet, scripts, icon and Chart.js, compiled in.
// A browser keeps them and asks each time whether they are still the same, by their version.
#ifndef MAILFLOW_SHELL_ASSETS_H
#define MAILFLOW_SHELL_ASSETS_H

#include <stddef.h>

#include "shell/agent.h"
#include "shell/http_message.h"

#define ASSETS_PATH "/assets/"

struct asset {
    const char *name;
    const char *content_type;
    const char *version; // ETag of the file as it is ...
    const char *packed_version;
    const unsigned char *plain;
    size_t plain_length;
    const unsigned char *packed; // ... and compressed by gzip
    size_t packed_length;
};

// Made at build time by embed_assets.py.
extern const struct asset ASSETS[];
extern const size_t ASSET_COUNT;

void assets_answer(struct agent *agent, const struct http_request *request,
                   struct http_response *response);

#endif
