#include "shell/assets.h"

#include <string.h>

static const struct asset *find(const char *name)
{
    for (size_t i = 0; i < ASSET_COUNT; i++) {
        if (strcmp(ASSETS[i].name, name) == 0) {
            return &ASSETS[i];
        }
    }
    return NULL;
}

void assets_answer(struct agent *agent, const struct http_request *request,
                   struct http_response *response)
{
    const struct asset *asset = find(request->path + strlen(ASSETS_PATH));
    (void)agent;
    if (asset == NULL) {
        http_respond_problem(response, 404, "the page has no such file");
        return;
    }
    bool packed = request->gzip;
    *response = (struct http_response){
        .status = 200,
        .content_type = asset->content_type,
        .version = packed ? asset->packed_version : asset->version,
        .encoding = packed ? "gzip" : NULL,
        .lasting = packed ? asset->packed : asset->plain,
        .length = packed ? asset->packed_length : asset->plain_length,
    };
    if (strstr(request->known, response->version) != NULL) {
        response->status = 304;
        response->encoding = NULL;
        response->length = 0;
    }
}
