// What one submission came to, from what was seen of it. Pure.
//
// Accepted is what libESMTP says of message and recipient both, in a reply to the content (a server
// may answer DATA itself with 250). Refused is what is definitely
// not in flight; uncertain, what had begun to go out without an answer that settles it.
//
// The class is the reply's where a 4xx or 5xx decided; timeout, when a reply was due at the
// deadline; dns, and tls (STARTTLS missing, handshake, certificate), where those failed. connect
// also stands for a connection that broke or spoke no SMTP, and 5xx for AUTH missing.
#ifndef MAILFLOW_PROBES_SUBMIT_JUDGE_H
#define MAILFLOW_PROBES_SUBMIT_JUDGE_H

#include <stdbool.h>

#include "base/instant.h"
#include "probes/probe.h"
#include "probes/submit/dialogue.h"

struct evidence {
    const struct probe_endpoint *relay;
    const struct dialogue *dialogue;
    bool connected;             // to one of its addresses at least
    int connect_error;          // errno, when not
    struct span connect_waited; // for an address that gave no answer at all
    char oauth_status[64];      // of a server that refuses a token, "" when it says none
    bool timed_out;             // the deadline came before the reply that was due
    bool accepted;              // message and recipient both 2xx, says libESMTP
    struct instant ended;
    char tls_failure[PROBE_REPLY_SIZE];
};

// Fills result, class, code, reply, cause and queue_id.
void judge(const struct evidence *evidence, struct submit_outcome *out);

// The queue id in the final reply of the common servers, "" when there is none to be seen.
void parse_queue_id(const char *reply, char out[PROBE_QUEUE_ID_SIZE]);

#endif
