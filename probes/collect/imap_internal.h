// What the parts of imap_session.h share with each other, and with nobody else.
#ifndef MAILFLOW_PROBES_COLLECT_IMAP_INTERNAL_H
#define MAILFLOW_PROBES_COLLECT_IMAP_INTERNAL_H

#include <libetpan/libetpan.h>

#include "probes/collect/imap_session.h"
#include "probes/collect/stream.h"
#include "probes/oauth.h"

// libEtPan takes about 12 times what it reads.
enum { IMAP_ANSWER_MAXIMUM = 4 * 1024 * 1024 };

struct imap_session {
    struct stream *stream;
    mailimap *imap;
    struct span timeout;
    char server[PROBE_HOST_SIZE + 8];   // host:port
    char secret[PROBE_TOKEN_SIZE];      // password or token
    char response[OAUTH_RESPONSE_SIZE]; // what was made of the token, else ""
    struct imap_attempt *attempt;       // while it opens: the caller's
    struct instant leg_began;           // likewise
    bool can_idle;
    bool can_expunge_uids;
    bool can_save_date;
    struct moment asked; // when the command at hand was sent
    bool has_news;
    struct imap_news news;
    struct imap_message messages[IMAP_BATCH];
};

// Around every command: its limits before, its result after. `command` is a literal.
void imap_command_begin(struct imap_session *session, const char *command);
enum imap_result imap_command_end(struct imap_session *session, int code, struct error *error);

// Sets the error, server in front; the words of the server behind when they are not "".
void imap_error_set(const struct imap_session *session, const char *what, const char *words,
                    struct error *error);

// What the server last said that it can, or NULL: it said nothing, or a list of nothing, into which
// libEtPan itself must not look.
clist *imap_capabilities(const struct imap_session *session);
bool imap_offers(const struct imap_session *session, const char *capability);

// Tells that the user is not let in, in the words of the last tagged answer.
void imap_login_refused(const struct imap_session *session, const char *user, const char *status,
                        struct error *error);

// ---- imap_oauth.c ----

// AUTHENTICATE with the endpoint's token (RFC 7628, SASL-IR where offered).
bool imap_authenticate(struct imap_session *session, const struct probe_endpoint *endpoint,
                       struct error *error);

// Why the stream failed, or that the server said good-bye.
enum imap_result imap_broken(const struct imap_session *session, struct error *error);

#endif
