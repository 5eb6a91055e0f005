// The certificates of the servers that we speak TLS with, each as it was last shown, and what is
// wrong with them.
//
// Whose business it is: our own relay's is our server's, and so are our own over HTTPS, that of the
// Alertmanager that we ask, and that of a mailbox, unless it is read for a peer; a peer's are also
// those of its own relay and of its agent. There is one incident
// for a server, about the worst of its certificates. One that expires soon stands alone. One that
// does not verify lets nothing through, and an outage will speak of that: the incident waits for it
// and is kept quiet under it.
#ifndef MAILFLOW_CORE_CERTIFICATE_H
#define MAILFLOW_CORE_CERTIFICATE_H

#include <stddef.h>

#include "base/instant.h"
#include "probes/certificate.h"

struct core;

enum { CERTIFICATE_REASON_SIZE = 160 };

enum certificate_place {
    CERTIFICATE_RELAY,
    CERTIFICATE_AGENT,
    CERTIFICATE_MAILBOX,
    CERTIFICATE_HTTP, // our own, which the others verify: read, and true as far as we know
    CERTIFICATE_ALERTMANAGER,
    CERTIFICATE_PLACES
};
const char *certificate_place_name(enum certificate_place place);

// A relay or an agent by its peer (OWN_SERVER: our own relay), a mailbox by itself; the rest are
// OWN_SERVER's.
struct certificate_endpoint {
    enum certificate_place place;
    int index;
};

struct certificate_sight {
    struct certificate certificate;
    struct walltime at;
    char reason[CERTIFICATE_REASON_SIZE]; // why it does not verify, in words of a prober
};

enum certificate_state {
    CERTIFICATE_UNSEEN,
    CERTIFICATE_GOOD,
    CERTIFICATE_EXPIRING,
    CERTIFICATE_REFUSED,
    CERTIFICATE_STATES
};
const char *certificate_state_name(enum certificate_state state);

// All of them, whether TLS is spoken there or not: our relay, the peers' relays (their own, or ours
// once more, of which nothing is known then), their agents, the mailboxes, our own, Alertmanager's.
size_t core_certificate_count(const struct core *core);
struct certificate_endpoint core_certificate_endpoint(const struct core *core, size_t index);

// The server whose business it is: a peer or OWN_SERVER.
int core_certificate_server(const struct core *core, const struct certificate_endpoint *endpoint);

// The server's name, or the mailbox's.
const char *core_certificate_name(const struct core *core,
                                  const struct certificate_endpoint *endpoint);

// What was last seen there; NULL while nothing has been, or where no TLS is spoken.
const struct certificate_sight *core_certificate(const struct core *core,
                                                 const struct certificate_endpoint *endpoint);

enum certificate_state core_certificate_state(const struct core *core,
                                              const struct certificate_endpoint *endpoint,
                                              struct moment now);

#endif
