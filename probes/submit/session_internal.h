// What the parts of session.h share with each other, and with nobody else.
#ifndef MAILFLOW_PROBES_SUBMIT_SESSION_INTERNAL_H
#define MAILFLOW_PROBES_SUBMIT_SESSION_INTERNAL_H

#include <openssl/ssl.h>
#include <stddef.h>

#include <auth-client.h>
#include <libesmtp.h>

#include "probes/oauth.h"
#include "probes/submit/dialogue.h"
#include "probes/submit/interpose.h"
#include "probes/submit/message.h"
#include "probes/submit/session.h"
#include "probes/tls.h"

struct session {
    struct submit_job *job; // the one under way; another takes its place when it shares the session
    const struct session_observer *observer;
    struct submit_outcome outcome;
    unsigned messages; // of this session so far, the job's included
    struct instant deadline;
    struct tag tag;
    struct wire wire;
    bool connected;
    struct dialogue dialogue;
    struct tls_verification verification;
    SSL_CTX *tls;
    SSL *secured; // the library's, once TLS stands
    char oauth_status[OAUTH_STATUS_SIZE];
    auth_context_t auth;
    smtp_session_t smtp;
    smtp_message_t message;
    smtp_recipient_t recipient;
    char content[MESSAGE_SIZE];
    size_t content_length; // 0 until it was composed
    bool content_read;
};

// The watchdog ends what is past the session's deadline.
void session_arm_watchdog(const struct session *session);

// Gives the library the job's message, in the session under way or yet to be started.
void session_create_envelope(struct session *session);

// What the job came to, by all that is known.
void session_conclude(struct session *session);

// ---- session_share.c ----

// The session is this job's from here on.
void session_begin_job(struct session *session);

// A message is through, and the library about to look whether another follows: the next job's, if
// one waits that may go into this session.
void session_share(struct session *session);

// The job is not over yet: it was refused in a session that others had begun.
bool session_must_repeat(const struct session *session);

#endif
