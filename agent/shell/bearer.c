#include "shell/bearer.h"

#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static void digest(const char *text, uint8_t out[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx hash;
    sha256_init(&hash);
    sha256_update(&hash, strlen(text), (const uint8_t *)text);
    sha256_digest(&hash, SHA256_DIGEST_SIZE, out);
}

bool bearer_matches(const char *authorization, const char *token)
{
    static const char SCHEME[] = "Bearer ";
    uint8_t wanted[SHA256_DIGEST_SIZE], given[SHA256_DIGEST_SIZE];
    if (token[0] == '\0' || strncasecmp(authorization, SCHEME, strlen(SCHEME)) != 0) {
        return false;
    }
    digest(token, wanted);
    digest(authorization + strlen(SCHEME) + strspn(authorization + strlen(SCHEME), " "), given);
    return memeql_sec(wanted, given, sizeof wanted);
}
