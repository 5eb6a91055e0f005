// AUTHENTICATE with a bearer token, line by line: libEtPan has only XOAUTH2, and tells nothing of
// the challenge by which a server refuses.
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "probes/collect/imap_internal.h"
#include "probes/oauth.h"

enum { LINES_MAXIMUM = 32 }; // until the tagged answer

static bool say(struct imap_session *session, const char *line, struct error *error)
{
    mailstream *stream = session->imap->imap_stream;
    size_t length = strlen(line);
    bool said = mailstream_write(stream, line, length) == (ssize_t)length &&
                mailstream_write(stream, "\r\n", 2) == 2 && mailstream_flush(stream) == 0;
    return said || imap_broken(session, error) == IMAP_DONE;
}

// One challenge of the server: the response goes out once, and what follows it refuses.
static bool answer(struct imap_session *session, const char *challenge, enum probe_oauth mechanism,
                   const char *response, bool *responded, char status[OAUTH_STATUS_SIZE],
                   struct error *error)
{
    if (!*responded) {
        *responded = true;
        return say(session, response, error);
    }
    oauth_status(challenge, status);
    return say(session, oauth_end(mechanism), error);
}

// Until the tagged answer: IMAP_DONE for OK, IMAP_REFUSED for NO and BAD.
static enum imap_result converse(struct imap_session *session, const char *tag,
                                 enum probe_oauth mechanism, const char *response, bool responded,
                                 char status[OAUTH_STATUS_SIZE], struct error *error)
{
    mailimap *imap = session->imap;
    for (int i = 0; i < LINES_MAXIMUM; i++) {
        const char *line =
            mailstream_read_line_remove_eol(imap->imap_stream, imap->imap_stream_buffer);
        if (line == NULL) {
            return imap_broken(session, error);
        }
        if (line[0] == '+') {
            const char *challenge = line + (line[1] == ' ' ? 2 : 1);
            if (!answer(session, challenge, mechanism, response, &responded, status, error)) {
                return IMAP_BROKEN;
            }
        } else if (strncmp(line, tag, strlen(tag)) == 0 && line[strlen(tag)] == ' ') {
            return strncasecmp(line + strlen(tag) + 1, "OK", 2) == 0 ? IMAP_DONE : IMAP_REFUSED;
        }
    }
    imap_error_set(session, "no end of the answer to AUTHENTICATE", "", error);
    return IMAP_BROKEN;
}

static enum imap_result authenticate(struct imap_session *session,
                                     const struct probe_endpoint *endpoint,
                                     enum probe_oauth mechanism, char status[OAUTH_STATUS_SIZE],
                                     struct error *error)
{
    char tag[16], line[OAUTH_RESPONSE_SIZE + 64];
    char *response = session->response; // kept: a server may repeat it
    bool at_once = imap_offers(session, "SASL-IR");
    oauth_response(mechanism, endpoint, response);
    snprintf(tag, sizeof tag, "%d", ++session->imap->imap_tag);
    snprintf(line, sizeof line, "%s AUTHENTICATE %s%s%s", tag, oauth_mechanism_name(mechanism),
             at_once ? " " : "", at_once ? response : "");
    imap_command_begin(session, "AUTHENTICATE");
    enum imap_result result = say(session, line, error) ? converse(session, tag, mechanism,
                                                                   response, at_once, status, error)
                                                        : IMAP_BROKEN;
    explicit_bzero(line, sizeof line);
    return result;
}

static bool offers(const struct imap_session *session, enum probe_oauth mechanism)
{
    clist *known = imap_capabilities(session);
    for (clistiter *at = known == NULL ? NULL : clist_begin(known); at != NULL;
         at = clist_next(at)) {
        const struct mailimap_capability *one = clist_content(at);
        if (one->cap_type == MAILIMAP_CAPABILITY_AUTH_TYPE &&
            text_equal_ignoring_case(one->cap_data.cap_auth_type,
                                     oauth_mechanism_name(mechanism))) {
            return true;
        }
    }
    return false;
}

bool imap_authenticate(struct imap_session *session, const struct probe_endpoint *endpoint,
                       struct error *error)
{
    char status[OAUTH_STATUS_SIZE] = "";
    enum probe_oauth mechanism = oauth_choose(endpoint->oauth, offers(session, PROBE_OAUTH_XOAUTH2),
                                              offers(session, PROBE_OAUTH_OAUTHBEARER));
    if (mechanism == PROBE_OAUTH_NONE) {
        imap_error_set(session, "the server offers no mechanism for our token", "", error);
        return false;
    }
    enum imap_result result = authenticate(session, endpoint, mechanism, status, error);
    if (result == IMAP_REFUSED) {
        const char *words = stream_guard(session->stream)->tagged;
        session->attempt->token_refused = strstr(words, "[UNAVAILABLE]") == NULL; // RFC 5530
        imap_login_refused(session, endpoint->user, status, error);
    }
    if (result == IMAP_DONE) {
        session->imap->imap_state = MAILIMAP_STATE_AUTHENTICATED;
    }
    return result == IMAP_DONE;
}
