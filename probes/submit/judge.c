#include "probes/submit/judge.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void copy_identifier(const char *from, char out[PROBE_QUEUE_ID_SIZE])
{
    size_t length = 0;
    while (isalnum((unsigned char)from[length]) ||
           (from[length] != '\0' && strchr("-_.", from[length]) != NULL)) {
        length++;
    }
    while (length > 0 && from[length - 1] == '.') {
        length--;
    }
    snprintf(out, PROBE_QUEUE_ID_SIZE, "%.*s", (int)length, from);
}

// Postfix, Exim and Exchange name it; Sendmail and OpenSMTPD put it before a fixed phrase.
void parse_queue_id(const char *reply, char out[PROBE_QUEUE_ID_SIZE])
{
    static const char *const PREFIXES[] = {"queued as ", " id=", "InternalId="};
    out[0] = '\0';
    for (size_t i = 0; i < sizeof PREFIXES / sizeof PREFIXES[0]; i++) {
        const char *found = strstr(reply, PREFIXES[i]);
        if (found != NULL) {
            copy_identifier(found + strlen(PREFIXES[i]), out);
            return;
        }
    }
    const char *end = strstr(reply, " Message accepted for delivery");
    const char *begin = end;
    while (begin != NULL && begin > reply && begin[-1] != ' ') {
        begin--;
    }
    if (begin != NULL) {
        copy_identifier(begin, out);
    }
}

// "mx01.example:25", "[2001:db8::1]:25".
static const char *place(const struct probe_endpoint *relay, char out[PROBE_HOST_SIZE + 16])
{
    bool bare_ipv6 = strchr(relay->host, ':') != NULL;
    snprintf(out, PROBE_HOST_SIZE + 16, bare_ipv6 ? "[%s]:%u" : "%s:%u", relay->host, relay->port);
    return out;
}

static void set_cause(struct submit_outcome *out, enum reply_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void set_cause(struct submit_outcome *out, enum reply_class class, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->cause, sizeof out->cause, format, arguments);
    va_end(arguments);
    out->reply_class = class;
}

static void judge_connection(const struct evidence *evidence, const char *where,
                             struct submit_outcome *out)
{
    if (evidence->connect_waited.ns > 0) {
        set_cause(out, REPLY_CONNECT, "connect to %s: no reply to connect within %.1f s", where,
                  span_seconds(evidence->connect_waited));
    } else {
        set_cause(out, REPLY_CONNECT, "connect to %s: %s", where,
                  strerror(evidence->connect_error));
    }
}

static void judge_stop(const struct evidence *evidence, const char *where,
                       struct submit_outcome *out)
{
    const struct dialogue *dialogue = evidence->dialogue;
    const char *answer = smtp_answer_name(dialogue->stage);
    switch (dialogue->stop) {
    case STOP_UNASKED:
        set_cause(out, dialogue->stage == STAGE_STARTTLS ? REPLY_TLS : REPLY_CONNECT,
                  "%s sent more than its %s: somebody may be injecting commands", where, answer);
        break;
    case STOP_FLOOD:
        set_cause(out, REPLY_CONNECT, "%s sent more than %d bytes, the last in its %s", where,
                  DIALOGUE_BYTES_MAXIMUM, answer);
        break;
    case STOP_LONG_LINE:
        set_cause(out, REPLY_CONNECT, "%s sent a line of more than %d bytes in its %s", where,
                  DIALOGUE_LINE_SIZE - 1, answer);
        break;
    case STOP_NOT_ENCRYPTED:
        set_cause(out, REPLY_TLS, "TLS with %s did not begin", where);
        break;
    case STOP_NO_AUTH:
        set_cause(out, REPLY_5XX, "AUTH is not offered by %s in a form that we have (%s)", where,
                  evidence->relay->oauth == PROBE_OAUTH_NONE ? "PLAIN, LOGIN, CRAM-MD5"
                                                             : "OAUTHBEARER, XOAUTH2");
        break;
    case STOP_AUTH_REFUSED:
        if (dialogue->code == 0) { // says nothing of the password, or the token
            set_cause(out, REPLY_CONNECT, "the reply to AUTH from %s is not SMTP", where);
            break;
        }
        out->reply_class = dialogue->code / 100 == 4 ? REPLY_4XX : REPLY_5XX;
        out->token_refused =
            evidence->relay->oauth != PROBE_OAUTH_NONE && out->reply_class == REPLY_5XX;
        set_cause(out, out->reply_class, "authentication as %s is refused by %s%s%s%s",
                  evidence->relay->user, where,
                  evidence->oauth_status[0] == '\0' ? "" : " (status ", evidence->oauth_status,
                  evidence->oauth_status[0] == '\0' ? "" : ")");
        break;
    case STOP_COMMAND:
    case STOP_NONE:
        set_cause(out, REPLY_CONNECT, "the session with %s went astray after its %s", where,
                  answer);
        break;
    }
}

// The reply that was due did not come.
static void judge_silence(const struct evidence *evidence, const char *where,
                          struct submit_outcome *out)
{
    const struct dialogue *dialogue = evidence->dialogue;
    const char *answer = smtp_answer_name(dialogue->stage);
    double waited = span_seconds(instant_since(evidence->ended, dialogue->asked));
    if (evidence->timed_out) {
        set_cause(out, REPLY_TIMEOUT, "no %s from %s within %.1f s", answer, where, waited);
    } else {
        set_cause(out, REPLY_CONNECT, "connection to %s lost before its %s", where, answer);
    }
}

static void judge_reply(const struct evidence *evidence, const char *where,
                        struct submit_outcome *out)
{
    const struct dialogue *dialogue = evidence->dialogue;
    const char *answer = smtp_answer_name(dialogue->stage);
    int class = dialogue->code / 100;
    if (class == 4 || class == 5) {
        out->reply_class = class == 4 ? REPLY_4XX : REPLY_5XX;
    } else if (dialogue->no_starttls) {
        set_cause(out, REPLY_TLS, "STARTTLS is not offered by %s", where);
    } else if (dialogue->code == 0) {
        set_cause(out, REPLY_CONNECT, "the %s from %s is not SMTP", answer, where);
    } else {
        set_cause(out, REPLY_CONNECT, "the %s from %s is none that fits", answer, where);
    }
}

static void judge_session(const struct evidence *evidence, const char *where,
                          struct submit_outcome *out)
{
    const struct dialogue *dialogue = evidence->dialogue;
    if (!evidence->connected) {
        judge_connection(evidence, where, out);
    } else if (dialogue->stop != STOP_NONE && !dialogue->refused) {
        judge_stop(evidence, where, out);
    } else if (dialogue->stage == STAGE_HANDSHAKE && !evidence->timed_out) {
        set_cause(out, REPLY_TLS, "%s", evidence->tls_failure);
    } else if (dialogue->answered) {
        judge_reply(evidence, where, out);
    } else {
        judge_silence(evidence, where, out);
    }
}

void judge(const struct evidence *evidence, struct submit_outcome *out)
{
    char where[PROBE_HOST_SIZE + 16];
    const struct dialogue *dialogue = evidence->dialogue;
    bool settled = dialogue->answered && dialogue->stop == STOP_NONE &&
                   (dialogue->code / 100 == 4 || dialogue->code / 100 == 5);
    out->code = dialogue->answered ? dialogue->code : 0;
    text_copy(out->reply, sizeof out->reply, dialogue->answered ? dialogue->reply : "");
    if (evidence->accepted && dialogue->stage == STAGE_CONTENT && dialogue->code / 100 == 2) {
        out->result = SUBMIT_ACCEPTED;
        out->reply_class = REPLY_2XX;
        parse_queue_id(out->reply, out->queue_id);
        return;
    }
    out->result = dialogue->stage == STAGE_CONTENT && !settled ? SUBMIT_UNCERTAIN : SUBMIT_REFUSED;
    judge_session(evidence, place(evidence->relay, where), out);
}
