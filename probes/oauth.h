// Authentication by a bearer token (RFC 6750) in IMAP and SMTP: what the client says, and what the
// server says when it refuses. Pure.
//
// XOAUTH2 is Google's and Microsoft's, OAUTHBEARER is RFC 7628. Of a server that offers both the
// latter is taken. A refusal comes as one more challenge, JSON in base64; the client then ends the
// exchange with oauth_end, and the server refuses the command.
#ifndef MAILFLOW_PROBES_OAUTH_H
#define MAILFLOW_PROBES_OAUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "probes/probe.h"

enum { OAUTH_RESPONSE_SIZE = 4800, OAUTH_STATUS_SIZE = 64 };

const char *oauth_mechanism_name(enum probe_oauth mechanism); // "XOAUTH2"

// The mechanism to use, of those that are offered; PROBE_OAUTH_NONE when none of them will do.
enum probe_oauth oauth_choose(enum probe_oauth wanted, bool xoauth2, bool oauthbearer);

// The initial response in base64.
void oauth_response(enum probe_oauth mechanism, const struct probe_endpoint *endpoint,
                    char out[OAUTH_RESPONSE_SIZE]);
const char *oauth_end(enum probe_oauth mechanism);

// The "status" of a challenge that refuses, "" when it has none; nothing else of it is told.
void oauth_status(const char *challenge, char out[OAUTH_STATUS_SIZE]);

// As RFC 6750 has it: so it may stand in any line of a protocol.
bool oauth_token_valid(const char *token);

#endif
