#include "probes/collect/imap_session.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "probes/collect/imap_date.h"
#include "probes/collect/imap_internal.h"

enum { STREAM_BUFFER = 8192 };

void imap_session_prepare(void)
{
    imap_date_teach();
}

// How much at the beginning of the words is the secret, or all that is left of it where they were
// cut. One of fewer than four characters is none.
static size_t secret_length(const char *words, const char *secret)
{
    size_t left = strlen(words), length = strlen(secret);
    length = length < left ? length : left;
    return length >= 4 && strncmp(words, secret, length) == 0 ? length : 0;
}

// Server words may repeat what we said to it.
static void append_redacted(struct text *to, const char *words, const struct imap_session *session)
{
    char plain[WIRE_LINE_KEPT + PROBE_REPLY_SIZE];
    struct text text = TEXT_OVER(plain);
    while (*words != '\0') {
        size_t said = secret_length(words, session->response);
        size_t secret = said > 0 ? said : secret_length(words, session->secret);
        text_append_bytes(&text, secret > 0 ? "***" : words, secret > 0 ? 3 : 1);
        words += secret > 0 ? secret : 1;
    }
    text_append_escaped(to, plain);
}

void imap_error_set(const struct imap_session *session, const char *what, const char *words,
                    struct error *error)
{
    struct text text = TEXT_OVER(error->message);
    text_format(&text, "%s: %s", session->server, what);
    if (words[0] != '\0') {
        text_append(&text, ": ");
        append_redacted(&text, words, session);
    }
}

// The words after the tag and the NO or BAD of the last tagged answer.
static const char *tagged_words(const struct imap_session *session)
{
    const char *at = stream_guard(session->stream)->tagged;
    at += strcspn(at, " ");
    at += strspn(at, " ");
    at += strcspn(at, " ");
    return at + strspn(at, " ");
}

enum imap_result imap_broken(const struct imap_session *session, struct error *error)
{
    const char *bye = stream_guard(session->stream)->bye;
    if (bye[0] != '\0') {
        const char *words = bye + strlen("* BYE");
        words += strspn(words, " ");
        imap_error_set(session, "the server ended the connection", words, error);
        return IMAP_BROKEN;
    }
    imap_error_set(session, stream_failure(session->stream), "", error);
    return stream_was_refused(session->stream) ? IMAP_UNREADABLE : IMAP_BROKEN;
}

// BAD is an answer like NO; the library cannot tell it from an answer to some other command.
static bool was_bad(const struct imap_session *session)
{
    int tag = 0;
    char verdict[4] = "";
    return sscanf(stream_guard(session->stream)->tagged, "%d %3s", &tag, verdict) == 2 &&
           tag == session->imap->imap_tag && text_equal_ignoring_case(verdict, "BAD");
}

// What was told of before is no news when it is told of again.
static void keep_news(struct imap_session *session)
{
    struct mailimap_selection_info *selected = session->imap->imap_selection_info;
    if (selected == NULL || !selected->sel_has_exists) {
        return;
    }
    selected->sel_has_exists = 0;
    if (!session->has_news || selected->sel_exists > session->news.exists) {
        session->has_news = true;
        session->news = (struct imap_news){selected->sel_exists, clock_now(), session->asked};
    }
}

void imap_command_begin(struct imap_session *session, const char *command)
{
    session->asked = clock_now();
    stream_expect(session->stream, command, session->timeout, IMAP_ANSWER_MAXIMUM);
}

enum imap_result imap_command_end(struct imap_session *session, int code, struct error *error)
{
    switch (code) {
    case MAILIMAP_NO_ERROR:
    case MAILIMAP_NO_ERROR_AUTHENTICATED:
    case MAILIMAP_NO_ERROR_NON_AUTHENTICATED:
        keep_news(session);
        return IMAP_DONE;
    case MAILIMAP_ERROR_STREAM:
    case MAILIMAP_ERROR_FATAL:
    case MAILIMAP_ERROR_BAD_STATE:
        return imap_broken(session, error);
    case MAILIMAP_ERROR_PROTOCOL:
        if (was_bad(session)) {
            break;
        }
        imap_error_set(session, "the server answers another command", "", error);
        return IMAP_UNREADABLE;
    case MAILIMAP_ERROR_PARSE:
        if (stream_failure(session->stream)[0] != '\0') {
            return imap_broken(session, error);
        }
        imap_error_set(session, "the server's answer is not IMAP", "", error);
        return IMAP_UNREADABLE;
    default:
        break;
    }
    keep_news(session);
    imap_error_set(session, "refused", tagged_words(session), error);
    return IMAP_REFUSED;
}

clist *imap_capabilities(const struct imap_session *session)
{
    const struct mailimap_capability_data *known =
        session->imap->imap_connection_info->imap_capability;
    return known == NULL ? NULL : known->cap_list;
}

bool imap_offers(const struct imap_session *session, const char *capability)
{
    return imap_capabilities(session) != NULL &&
           mailimap_has_extension(session->imap, capability) != 0;
}

// mailimap_capability() would crash over a server that answers OK and nothing else;
// mailimap_custom_command() ends the line with a blank, for which Cyrus refuses it.
static int send_capability(mailimap *imap)
{
    static const char COMMAND[] = "CAPABILITY\r\n";
    struct mailimap_response *response = NULL;
    mailstream *stream = imap->imap_stream;
    if (mailimap_send_current_tag(imap) != MAILIMAP_NO_ERROR ||
        mailstream_write(stream, COMMAND, strlen(COMMAND)) < 0 || mailstream_flush(stream) < 0 ||
        mailimap_read_line(imap) == NULL) {
        return MAILIMAP_ERROR_STREAM;
    }
    int code = mailimap_parse_response(imap, &response);
    if (code != MAILIMAP_NO_ERROR) {
        return code;
    }
    const struct mailimap_response_done *done = response->rsp_resp_done;
    bool tagged = done->rsp_type == MAILIMAP_RESP_DONE_TYPE_TAGGED;
    bool accepted = tagged && done->rsp_data.rsp_tagged->rsp_cond_state->rsp_type ==
                                  MAILIMAP_RESP_COND_STATE_OK;
    mailimap_response_free(response);
    return accepted ? MAILIMAP_NO_ERROR : tagged ? MAILIMAP_ERROR_CAPABILITY : MAILIMAP_ERROR_FATAL;
}

// What a server offered before must not count after: in the clear anyone may have written it.
static enum imap_result ask_capabilities(struct imap_session *session, struct error *error)
{
    struct mailimap_connection_info *known = session->imap->imap_connection_info;
    if (known->imap_capability != NULL) {
        mailimap_capability_data_free(known->imap_capability);
        known->imap_capability = NULL;
    }
    imap_command_begin(session, "CAPABILITY");
    return imap_command_end(session, send_capability(session->imap), error);
}

static void end_leg(struct imap_session *session, enum collect_leg leg, struct instant now)
{
    session->attempt->legs[leg] = instant_since(now, session->leg_began);
    session->leg_began = now;
}

static bool secure(struct imap_session *session, const char *ca_file, struct error *error)
{
    if (stream_start_tls(session->stream, ca_file, error)) {
        end_leg(session, COLLECT_TLS, clock_now().instant);
        return true;
    }
    return error_prefix(error, "%s", session->server);
}

static bool upgrade(struct imap_session *session, const char *ca_file, struct error *error)
{
    if (ask_capabilities(session, error) != IMAP_DONE) {
        return false;
    }
    if (!imap_offers(session, "STARTTLS")) {
        imap_error_set(session, "STARTTLS is not offered", "", error);
        return false;
    }
    imap_command_begin(session, "STARTTLS");
    int code = mailimap_starttls(session->imap);
    if (session->imap->imap_stream->read_buffer_len != 0) {
        imap_error_set(session, "something was put in after the answer to STARTTLS", "", error);
        return false;
    }
    if (imap_command_end(session, code, error) != IMAP_DONE) {
        return error_prefix(error, "STARTTLS");
    }
    return secure(session, ca_file, error);
}

void imap_login_refused(const struct imap_session *session, const char *user, const char *status,
                        struct error *error)
{
    char what[PROBE_USER_SIZE + 96];
    bool known = status[0] != '\0';
    snprintf(what, sizeof what, "login as %s refused%s%s%s", user, known ? " (status " : "", status,
             known ? ")" : "");
    imap_error_set(session, what, tagged_words(session), error);
}

static bool log_in(struct imap_session *session, const struct probe_endpoint *endpoint,
                   struct error *error)
{
    if (ask_capabilities(session, error) != IMAP_DONE) {
        return false;
    }
    if (endpoint->oauth != PROBE_OAUTH_NONE) {
        return imap_authenticate(session, endpoint, error);
    }
    if (imap_offers(session, "LOGINDISABLED")) {
        imap_error_set(session, "the server allows no login on this connection (LOGINDISABLED)", "",
                       error);
        return false;
    }
    imap_command_begin(session, "LOGIN");
    int code = mailimap_login(session->imap, endpoint->user, endpoint->password);
    enum imap_result result = imap_command_end(session, code, error);
    if (result == IMAP_REFUSED) {
        imap_login_refused(session, endpoint->user, "", error);
    }
    return result == IMAP_DONE;
}

// libEtPan never frees the greeting of a server that turns us away: it does not get to read one,
// unless that comes in pieces.
static int read_greeting(struct imap_session *session)
{
    const char *bye = stream_guard(session->stream)->bye;
    mailstream *stream = session->imap->imap_stream;
    mailstream_feed_read_buffer(stream);
    int code = bye[0] != '\0' ? MAILIMAP_ERROR_FATAL : mailimap_connect(session->imap, stream);
    return bye[0] != '\0' ? MAILIMAP_ERROR_FATAL : code;
}

static bool greet(struct imap_session *session, const struct probe_endpoint *endpoint,
                  struct error *error)
{
    mailstream *stream = mailstream_new(stream_as_low(session->stream), STREAM_BUFFER);
    session->imap->imap_stream = memory_checked(stream);
    imap_command_begin(session, "the connection");
    if (endpoint->tls == PROBE_TLS_IMPLICIT) {
        end_leg(session, COLLECT_CONNECT, clock_now().instant);
        if (!secure(session, endpoint->ca_file, error)) {
            return false;
        }
    }
    int code = read_greeting(session);
    if (imap_command_end(session, code, error) != IMAP_DONE) {
        return false;
    }
    if (endpoint->tls != PROBE_TLS_IMPLICIT) {
        end_leg(session, COLLECT_CONNECT, clock_now().instant);
    }
    if (endpoint->tls == PROBE_TLS_STARTTLS) {
        if (code == MAILIMAP_NO_ERROR_AUTHENTICATED) {
            imap_error_set(session, "the server says we are logged in before TLS", "", error);
            return false;
        }
        if (!upgrade(session, endpoint->ca_file, error)) {
            return false;
        }
    }
    return code == MAILIMAP_NO_ERROR_AUTHENTICATED || log_in(session, endpoint, error);
}

static bool learn_extensions(struct imap_session *session, struct error *error)
{
    if (ask_capabilities(session, error) != IMAP_DONE) {
        return false;
    }
    session->can_idle = imap_offers(session, "IDLE");
    session->can_expunge_uids = imap_offers(session, "UIDPLUS");
    session->can_save_date = imap_offers(session, "SAVEDATE");
    return true;
}

// Resolves and connects. False with the reason.
static bool reach(struct imap_session *session, const struct probe_endpoint *endpoint,
                  struct error *error)
{
    struct instant resolved;
    session->leg_began = clock_now().instant;
    session->stream =
        stream_connect(endpoint->host, endpoint->port, session->timeout, &resolved, error);
    if (resolved.ns != 0) {
        end_leg(session, COLLECT_DNS, resolved);
    }
    return session->stream != NULL || error_prefix(error, "%s", session->server);
}

struct imap_session *imap_session_open(const struct probe_endpoint *endpoint, struct span timeout,
                                       struct imap_attempt *attempt, struct error *error)
{
    struct imap_session *session = memory_checked(calloc(1, sizeof *session));
    session->timeout = timeout;
    session->attempt = attempt;
    *attempt = (struct imap_attempt){.token_refused = false};
    for (int i = 0; i < COLLECT_LEGS; i++) {
        attempt->legs[i] = (struct span){-1};
    }
    snprintf(session->server, sizeof session->server, "%s:%d", endpoint->host, endpoint->port);
    text_copy(session->secret, sizeof session->secret,
              endpoint->oauth == PROBE_OAUTH_NONE ? endpoint->password : endpoint->token);
    session->imap = memory_checked(mailimap_new(0, NULL));
    bool ready = reach(session, endpoint, error) && greet(session, endpoint, error);
    if (session->stream != NULL) {
        attempt->certificate = stream_certificate(session->stream);
    }
    if (!ready) {
        imap_session_close(session);
        return NULL;
    }
    end_leg(session, COLLECT_LOGIN, clock_now().instant);
    if (!learn_extensions(session, error)) {
        imap_session_close(session);
        return NULL;
    }
    return session;
}

void imap_session_close(struct imap_session *session)
{
    if (session == NULL) {
        return;
    }
    // Taken from it, so that mailimap_free does not wait for the answer to a LOGOUT.
    if (session->imap->imap_stream != NULL) {
        mailstream_close(session->imap->imap_stream);
        session->imap->imap_stream = NULL;
    }
    mailimap_free(session->imap);
    stream_destroy(session->stream);
    explicit_bzero(session->secret, sizeof session->secret);
    explicit_bzero(session->response, sizeof session->response);
    free(session);
}

bool imap_session_can_idle(const struct imap_session *session)
{
    return session->can_idle;
}

bool imap_session_can_expunge_uids(const struct imap_session *session)
{
    return session->can_expunge_uids;
}

enum imap_result imap_session_select(struct imap_session *session, const char *folder,
                                     struct imap_folder *out, struct error *error)
{
    imap_command_begin(session, "SELECT");
    enum imap_result result =
        imap_command_end(session, mailimap_select(session->imap, folder), error);
    session->has_news = false;
    if (result == IMAP_DONE) {
        const struct mailimap_selection_info *selected = session->imap->imap_selection_info;
        *out = (struct imap_folder){.uid_validity = selected->sel_uidvalidity,
                                    .uid_next = selected->sel_uidnext,
                                    .exists = selected->sel_exists};
    }
    return result;
}

static void read_status(const struct mailimap_mailbox_data_status *status, struct imap_folder *out)
{
    *out = (struct imap_folder){0};
    if (status == NULL || status->st_info_list == NULL) {
        return;
    }
    for (clistiter *at = clist_begin(status->st_info_list); at != NULL; at = clist_next(at)) {
        const struct mailimap_status_info *info = clist_content(at);
        if (info->st_att == MAILIMAP_STATUS_ATT_MESSAGES) {
            out->exists = info->st_value;
        } else if (info->st_att == MAILIMAP_STATUS_ATT_UIDNEXT) {
            out->uid_next = info->st_value;
        } else if (info->st_att == MAILIMAP_STATUS_ATT_UIDVALIDITY) {
            out->uid_validity = info->st_value;
        }
    }
}

enum imap_result imap_session_status(struct imap_session *session, const char *folder,
                                     struct imap_folder *out, struct error *error)
{
    static const int WANTED[] = {MAILIMAP_STATUS_ATT_MESSAGES, MAILIMAP_STATUS_ATT_UIDNEXT,
                                 MAILIMAP_STATUS_ATT_UIDVALIDITY};
    struct mailimap_status_att_list *wanted = memory_checked(mailimap_status_att_list_new_empty());
    for (size_t i = 0; i < sizeof WANTED / sizeof WANTED[0]; i++) {
        mailimap_status_att_list_add(wanted, WANTED[i]);
    }
    struct mailimap_mailbox_data_status *status = NULL;
    imap_command_begin(session, "STATUS");
    int code = mailimap_status(session->imap, folder, wanted, &status);
    mailimap_status_att_list_free(wanted);
    enum imap_result result = imap_command_end(session, code, error);
    read_status(status, out);
    if (status != NULL) {
        mailimap_mailbox_data_status_free(status);
    }
    return result;
}

enum imap_result imap_session_noop(struct imap_session *session, struct error *error)
{
    imap_command_begin(session, "NOOP");
    return imap_command_end(session, mailimap_noop(session->imap), error);
}

uint32_t imap_session_exists(const struct imap_session *session)
{
    const struct mailimap_selection_info *selected = session->imap->imap_selection_info;
    return selected == NULL ? 0 : selected->sel_exists;
}

bool imap_session_has_news(const struct imap_session *session)
{
    return session->has_news;
}

bool imap_session_take_news(struct imap_session *session, struct imap_news *out)
{
    bool had_news = session->has_news;
    *out = session->news;
    session->has_news = false;
    return had_news;
}

int imap_session_descriptor(const struct imap_session *session)
{
    return stream_descriptor(session->stream);
}

bool imap_session_is_readable(const struct imap_session *session)
{
    return session->imap->imap_stream->read_buffer_len > 0 || stream_has_pending(session->stream);
}
