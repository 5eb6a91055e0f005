#include "ctl/live_recipient.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/live_greet.h"
#include "probes/endpoint.h"

// As long as for a probe: a relay may ask the peer's server for the address first.
#define TO_ANSWER SPAN_SECONDS(30)

bool live_recipient_can_try(const struct relay_settings *relay)
{
    return relay->tls == TLS_NONE && relay->user[0] == '\0';
}

static void compose_job(const struct settings *settings, const struct peer_settings *peer,
                        struct greet_job *job)
{
    struct greet_envelope *envelope = &job->envelope;
    *job = (struct greet_job){.port = peer->relay.port};
    text_copy(job->host, sizeof job->host, peer->relay.host);
    text_copy(envelope->ehlo, sizeof envelope->ehlo, strrchr(settings->address, '@') + 1);
    text_copy(envelope->sender, sizeof envelope->sender, settings->address);
    text_copy(envelope->recipient, sizeof envelope->recipient, peer->address);
}

// A reply that begins with 4 holds for now only (RFC 5321 section 4.2.1): the queue tries again.
static bool is_for_now(const struct greet_outcome *outcome)
{
    return outcome->refusal[0] == '4';
}

static void judge(const struct greet_outcome *outcome, const struct peer_settings *peer, bool there,
                  struct live_result *result)
{
    char said[2 * PROBE_REPLY_SIZE + PROBE_ADDRESS_SIZE];
    struct text text = TEXT_OVER(said);
    if (outcome->refusal[0] == '\0') {
        text_format(&text, "it takes probes to %s", peer->address);
        live_result_succeed(result, said);
        return;
    }
    text_format(&text, "it takes no probes to %s%s; it says: %s", peer->address,
                is_for_now(outcome) ? " now" : "", outcome->refusal);
    if (is_for_now(outcome) || !there) {
        live_result_warn(result, ADVICE_RECIPIENT, said);
    } else {
        live_result_fail(result, ADVICE_RECIPIENT, said);
    }
}

void live_recipient_try(const char *probers, const struct settings *settings,
                        const struct peer_settings *peer, bool there, struct live_result *result)
{
    struct greet_job job;
    struct greet_outcome outcome;
    struct error error;
    struct text subject = TEXT_OVER(result->subject), target = TEXT_OVER(result->target);
    text_format(&subject, "address of %s", peer->name);
    text_format(&target, "%s:%u", peer->relay.host, (unsigned)peer->relay.port);
    compose_job(settings, peer, &job);
    struct instant begin = clock_now().instant;
    if (!live_greet(probers, TO_ANSWER, &job, &outcome, &error)) {
        live_result_fail(result, ADVICE_SMTP, error.message);
    } else if (!outcome.greeted && is_for_now(&outcome)) {
        live_result_warn(result, ADVICE_SMTP, outcome.cause);
    } else if (!outcome.greeted) {
        live_result_fail(result, ADVICE_SMTP, outcome.cause);
    } else {
        live_result_add_leg(result, "answer", instant_since(clock_now().instant, begin));
        judge(&outcome, peer, there, result);
    }
}
