// The bearer token (RFC 6750) with which orders are taken over HTTPS.
#ifndef MAILFLOW_SHELL_BEARER_H
#define MAILFLOW_SHELL_BEARER_H

#include <stdbool.h>

// Whether the value of an Authorization header ("" without one) carries the token; never when the
// token is "". Takes the same time whatever is wrong with it.
bool bearer_matches(const char *authorization, const char *token);

#endif
