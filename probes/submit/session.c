#include "probes/submit/session.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "probes/resolve.h"
#include "probes/submit/bearer.h"
#include "probes/submit/judge.h"
#include "probes/submit/session_internal.h"
#include "probes/submit/side_channel.h"
#include "probes/submit/watchdog.h"

// How long may take what decides nothing any more: QUIT, or what follows a refusal.
#define FAREWELL_GRACE SPAN_MS(500)

static void cut(struct session *session)
{
    if (session->wire.descriptor >= 0) {
        shutdown(session->wire.descriptor, SHUT_RDWR);
    }
}

// libESMTP has no mechanism for a bearer token, and loads none but from its own directory. So
// before its first MAIL, when no reply is outstanding, the exchange is made here.
static bool wants_token(const struct session *session, const char *bytes, size_t count)
{
    const struct dialogue *dialogue = &session->dialogue;
    return session->job->relay.oauth != PROBE_OAUTH_NONE && !dialogue->authenticated &&
           dialogue->stop == STOP_NONE && count > 5 && memcmp(bytes, "MAIL ", 5) == 0;
}

static void authenticate(struct session *session)
{
    const struct side_channel channel = {session->wire.descriptor, session->secured,
                                         session->wire.deadline};
    if (!bearer_authenticate(&channel, &session->dialogue, &session->job->relay,
                             session->oauth_status)) {
        cut(session);
    }
}

// The library's buffer is its own and about to be parsed: altered here, it is read altered.
static void on_bytes(const char *bytes, int count, int writing, void *context)
{
    struct session *session = context;
    struct dialogue *dialogue = &session->dialogue;
    struct instant now = clock_now().instant;
    bool quitting = dialogue->quitting, refused = dialogue->refused;
    if (writing && wants_token(session, bytes, (size_t)count)) {
        authenticate(session);
        now = clock_now().instant;
    }
    bool go_on = writing ? dialogue_write(dialogue, bytes, (size_t)count, now)
                         : dialogue_read(dialogue, (char *)bytes, (size_t)count, now);
    if (!go_on) {
        cut(session);
    }
    if ((dialogue->quitting && !quitting) || (dialogue->refused && !refused)) {
        session->wire.deadline =
            instant_earlier(session->deadline, instant_add(now, FAREWELL_GRACE));
    }
}

static void note_address(struct session *session)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[INET6_ADDRSTRLEN], words[INET6_ADDRSTRLEN + 32];
    struct text text = TEXT_OVER(words);
    if (getpeername(session->wire.descriptor, (struct sockaddr *)&address, &length) == 0 &&
        getnameinfo((struct sockaddr *)&address, length, host, sizeof host, NULL, 0,
                    NI_NUMERICHOST) == 0) {
        text_format(&text, "connected to %s port %u", host, session->job->relay.port);
        dialogue_note(&session->dialogue, words, clock_now().instant);
    }
}

static void note_encryption(struct session *session, const SSL *tls)
{
    char words[128];
    struct text text = TEXT_OVER(words);
    text_format(&text, "%s with %s, certificate verified", SSL_get_version(tls),
                SSL_get_cipher_name(tls));
    dialogue_note(&session->dialogue, words, clock_now().instant);
}

static void note_content(struct session *session, struct instant now)
{
    char words[64];
    struct text text = TEXT_OVER(words);
    text_format(&text, "message of %zu bytes", session->content_length);
    dialogue_note(&session->dialogue, words, now);
}

// Now the content starts: stamps, signs and says so.
static bool compose_content(struct session *session)
{
    struct error error;
    struct text content = TEXT_OVER(session->content);
    struct moment now = clock_now();
    // The tag carries microseconds; the agent is told the very same instant.
    now.wall = walltime_from_microseconds(walltime_microseconds(now.wall));
    session->tag.sent = now.wall;
    if (!message_compose(session->job, &session->tag, &content, &error)) {
        return false;
    }
    session->content_length = content.length;
    session->outcome.sent = now;
    session->outcome.result = SUBMIT_CONTENT;
    dialogue_content(&session->dialogue, now.instant);
    note_content(session, now.instant);
    session->observer->content_started(session->observer->context, &session->outcome);
    return true;
}

static bool may_send_content(const struct session *session)
{
    const struct dialogue *dialogue = &session->dialogue;
    return dialogue->stage == STAGE_DATA && dialogue->code == 354 && dialogue->stop == STOP_NONE;
}

// Gives the library the message in one piece. Without a 354 it gets nothing (CHUNKING cannot be
// spoken: the dialogue hides it), and neither does a connection that is already cut, or a server
// that has refused the recipient and says 354 nevertheless.
static const char *on_content(void **state, int *length, void *context)
{
    (void)state;
    struct session *session = context;
    if (length == NULL) {
        session->content_read = false;
        return NULL;
    }
    *length = 0;
    if (session->content_read || session->dialogue.refused) {
        return NULL;
    }
    if (session->content_length == 0 && !(may_send_content(session) && compose_content(session))) {
        cut(session);
        return NULL;
    }
    session->content_read = true;
    *length = (int)session->content_length;
    return session->content;
}

void session_arm_watchdog(const struct session *session)
{
    watchdog_arm(instant_add(session->deadline, SPAN_MS(50)));
}

void session_create_envelope(struct session *session)
{
    char id[PROBE_ID_TEXT];
    const struct submit_job *job = session->job;
    session->message = memory_checked(smtp_add_message(session->smtp));
    smtp_set_reverse_path(session->message, job->sender);
    smtp_set_messagecb(session->message, on_content, session);
    smtp_dsn_set_ret(session->message, Ret_HDRS);
    smtp_dsn_set_envid(session->message, probe_id_format(&job->tag.id, id));
    session->recipient = memory_checked(smtp_add_recipient(session->message, job->recipient));
    smtp_dsn_set_notify(session->recipient, Notify_FAILURE | Notify_DELAY);
}

static bool is_positive(const smtp_status_t *status)
{
    return status != NULL && status->code / 100 == 2;
}

void session_conclude(struct session *session)
{
    const struct dialogue *dialogue = &session->dialogue;
    struct submit_outcome *out = &session->outcome;
    struct instant now = clock_now().instant;
    struct evidence evidence = {
        .relay = &session->job->relay,
        .dialogue = dialogue,
        .connected = session->connected,
        .connect_error = session->wire.connect_error,
        .connect_waited = session->wire.connect_waited,
        .timed_out = !dialogue->answered && instant_reached(now, session->deadline),
        .accepted = is_positive(smtp_message_transfer_status(session->message)) &&
                    is_positive(smtp_recipient_status(session->recipient)),
        .ended = now,
    };
    text_copy(evidence.oauth_status, sizeof evidence.oauth_status, session->oauth_status);
    out->certificate = session->verification.certificate;
    struct text failure = TEXT_OVER(evidence.tls_failure);
    tls_describe_failure(&session->verification, &failure);
    judge(&evidence, out);
    for (int i = LEG_CONNECT; i < SUBMIT_LEGS; i++) {
        out->legs[i] = dialogue->legs[i];
    }
    if (out->result == SUBMIT_ACCEPTED) {
        out->accepted.instant = dialogue->answered_at;
        out->accepted.wall = moment_wall_at(out->sent, dialogue->answered_at);
    } else {
        dialogue_transcribe(&session->dialogue, out->transcript, now);
    }
}

static void on_event(smtp_session_t smtp, int event, void *context, ...)
{
    (void)smtp;
    struct session *session = context;
    va_list arguments;
    va_start(arguments, context);
    switch (event) {
    case SMTP_EV_CONNECT:
        session->connected = true;
        dialogue_connected(&session->dialogue, clock_now().instant);
        note_address(session);
        break;
    case SMTP_EV_DISCONNECT:
        watchdog_guard(-1);
        session->wire.descriptor = -1;
        break;
    case SMTP_EV_MESSAGESENT:
        session_share(session);
        break;
    case SMTP_EV_EXTNA_STARTTLS:
        session->dialogue.no_starttls = true;
        break;
    case SMTP_EV_STARTTLS_OK:
        dialogue_encrypted(&session->dialogue);
        session->secured = va_arg(arguments, SSL *);
        note_encryption(session, session->secured);
        break;
    case SMTP_EV_WRONG_PEER_CERTIFICATE:
        // The library compares names in its own way. OpenSSL has compared them already, in ours,
        // or the handshake would not be done.
        *va_arg(arguments, int *) = 1;
        break;
    }
    va_end(arguments);
}

static int on_credentials(auth_client_request_t requests, char **results, int count, void *context)
{
    const struct probe_endpoint *relay = context;
    for (int i = 0; i < count; i++) {
        const char *value = (requests[i].flags & AUTH_USER) != 0   ? relay->user
                            : (requests[i].flags & AUTH_PASS) != 0 ? relay->password
                                                                   : "";
        results[i] = (char *)value;
    }
    return 1;
}

static auth_context_t create_auth(const struct probe_endpoint *relay)
{
    auth_context_t auth = memory_checked(auth_create_context());
    // In the clear only where the configuration says TLS none: elsewhere the dialogue forbids it.
    auth_set_mechanism_flags(auth, AUTH_PLUGIN_PLAIN, 0);
    auth_set_interact_cb(auth, on_credentials, (void *)relay);
    return auth;
}

void session_warm_up(void)
{
    // By the names of their files: that of CRAM-MD5 lacks the hyphen, so the library itself would
    // not find it, but once loaded it is known by its own name.
    static const char *const PLUGINS[] = {"PLAIN", "LOGIN", "CRAMMD5"};
    const struct probe_endpoint nobody = {.port = 0};
    auth_client_init();
    auth_context_t auth = create_auth(&nobody);
    for (size_t i = 0; i < sizeof PLUGINS / sizeof PLUGINS[0]; i++) {
        auth_set_mechanism(auth, PLUGINS[i]);
    }
    auth_destroy_context(auth);
}

static void create_smtp(struct session *session)
{
    const struct submit_job *job = session->job;
    smtp_session_t smtp = memory_checked(smtp_create_session());
    session->smtp = smtp;
    smtp_set_server(smtp, "relay:25"); // a placeholder: interpose.h knows the address
    smtp_set_hostname(smtp, job->ehlo);
    smtp_set_eventcb(smtp, on_event, session);
    smtp_set_monitorcb(smtp, on_bytes, session, 0);
    for (int stage = Timeout_GREETING; stage <= Timeout_DATA2; stage++) {
        // As good as none: poll(2) does not wait past the wire's deadline.
        smtp_set_timeout(smtp, stage | Timeout_OVERRIDE_RFC2822_MINIMUM, 86400000);
    }
    if (session->tls != NULL) {
        smtp_starttls_enable(smtp, Starttls_REQUIRED);
        smtp_starttls_set_ctx(smtp, session->tls);
    }
    if (job->relay.user[0] != '\0' && job->relay.oauth == PROBE_OAUTH_NONE) {
        session->auth = create_auth(&job->relay);
        smtp_auth_set_context(smtp, session->auth);
    }
    session_create_envelope(session);
}

static void converse(struct session *session)
{
    create_smtp(session);
    dialogue_begin(&session->dialogue, &session->job->relay, clock_now().instant);
    session_arm_watchdog(session);
    interpose_use(&session->wire);
    smtp_start_session(session->smtp);
    interpose_use(NULL);
    watchdog_disarm();
}

static void refuse(struct submit_outcome *out, enum reply_class class, const char *cause)
{
    out->result = SUBMIT_REFUSED;
    out->reply_class = class;
    text_copy(out->cause, sizeof out->cause, cause);
}

// Everything that can be known to fail before anything goes on the wire.
static bool prepare(struct session *session)
{
    struct error error;
    const struct submit_job *job = session->job;
    struct submit_outcome *out = &session->outcome;
    if (instant_reached(clock_now().instant, session->deadline)) {
        refuse(out, REPLY_TIMEOUT, "the deadline had passed before the session began");
        return false;
    }
    if (!message_can_be_composed(job, &error)) {
        refuse(out, REPLY_5XX, error.message);
        return false;
    }
    if (job->relay.tls == PROBE_TLS_IMPLICIT) {
        refuse(out, REPLY_TLS, "a relay is spoken to with starttls or none, not implicit TLS");
        return false;
    }
    if (job->relay.tls == PROBE_TLS_STARTTLS) {
        session->tls = tls_context_create(job->relay.ca_file, &session->verification, &error);
        if (session->tls == NULL) {
            refuse(out, REPLY_TLS, error.message);
            return false;
        }
    }
    return true;
}

static bool resolve(struct session *session)
{
    struct error error;
    const struct probe_endpoint *relay = &session->job->relay;
    struct instant begin = clock_now().instant;
    if (!resolve_host(relay->host, relay->port, session->deadline, &session->wire.addresses,
                      &error)) {
        refuse(&session->outcome, REPLY_DNS, error.message);
        return false;
    }
    session->outcome.legs[LEG_DNS] = instant_since(clock_now().instant, begin);
    return true;
}

static void release(struct session *session)
{
    if (session->smtp != NULL) {
        smtp_destroy_session(session->smtp);
    }
    if (session->auth != NULL) {
        auth_destroy_context(session->auth);
    }
    SSL_CTX_free(session->tls);
    explicit_bzero(session, sizeof *session);
}

// One session. The job is another one afterwards, if others came to share it; false when that one
// is not over yet.
static bool run_once(struct submit_job *job, const struct session_observer *observer)
{
    struct session session = {.job = job, .observer = observer};
    session_begin_job(&session);
    text_copy(session.verification.host, sizeof session.verification.host, job->relay.host);
    session.wire =
        (struct wire){.host = job->relay.host, .deadline = session.deadline, .descriptor = -1};
    if (prepare(&session) && resolve(&session)) {
        converse(&session);
        session_conclude(&session);
    }
    bool over = !session_must_repeat(&session);
    if (over) {
        observer->ended(observer->context, &session.outcome);
    }
    release(&session);
    return over;
}

void session_run(const struct submit_job *job, const struct session_observer *observer)
{
    struct submit_job current = *job;
    while (!run_once(&current, observer)) {
    }
    explicit_bzero(&current, sizeof current);
}
