#include "ctl/live_relay.h"

#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "ctl/live_token.h"
#include "probes/endpoint.h"
#include "probes/probe.h"

#define TO_SUBMIT SPAN_SECONDS(30)
#define GRACE     SPAN_SECONDS(2) // a prober keeps its deadline by itself

// From us to us: no agent takes it for one of its cadence.
static void compose_job(const struct settings *settings, const struct relay_settings *relay,
                        struct submit_job *job)
{
    *job = (struct submit_job){
        .number = 1,
        .deadline = instant_add(clock_now().instant, TO_SUBMIT),
        .tag = {.kind = PROBE_HAND, .drain = settings->maintenance.recovery},
        .key = settings->mesh_keys.keys[0],
    };
    text_copy(job->ehlo, sizeof job->ehlo, strrchr(settings->address, '@') + 1);
    text_copy(job->sender, sizeof job->sender, settings->address);
    text_copy(job->recipient, sizeof job->recipient, settings->address);
    text_copy(job->tag.from, sizeof job->tag.from, settings->server);
    text_copy(job->tag.to, sizeof job->tag.to, settings->server);
    random_bytes(job->tag.id.bytes, sizeof job->tag.id.bytes);
    endpoint_of_relay(relay, &job->relay);
}

static bool read_outcome(struct prober_child *child, struct instant deadline,
                         struct submit_outcome *outcome, struct error *error)
{
    const char *line;
    size_t length;
    do {
        if (!prober_child_read(child, deadline, &line, &length, error) ||
            !submit_outcome_decode(line, length, outcome, error)) {
            return false;
        }
    } while (outcome->result == SUBMIT_CONTENT);
    return true;
}

static bool submit(const char *probers, struct submit_job *job, struct submit_outcome *outcome,
                   struct error *error)
{
    struct prober_child child;
    if (!prober_child_start(&child, probers, "mailflow-submit", error)) {
        return false;
    }
    prober_child_write(&child, submit_job_encode(job));
    bool good = read_outcome(&child, instant_add(job->deadline, GRACE), outcome, error);
    prober_child_stop(&child);
    return good;
}

// The reply and the cause are told apart in the outcome; people want both.
static void tell_refusal(const struct submit_outcome *outcome, struct live_result *result)
{
    char said[2 * PROBE_REPLY_SIZE];
    struct text text = TEXT_OVER(said);
    text_append(&text, outcome->cause);
    if (outcome->reply[0] != '\0') {
        text_format(&text, "%sit says: %s", outcome->cause[0] == '\0' ? "" : "; ", outcome->reply);
    }
    live_result_fail(result, ADVICE_SMTP, said);
}

static void tell_in_vain(const struct submit_outcome *outcome, const struct live_mailbox *mailbox,
                         struct span patience, const struct error *error,
                         struct live_result *result)
{
    char said[512], within[32];
    struct text text = TEXT_OVER(said);
    struct text span = TEXT_OVER(within);
    span_append(patience, &span);
    text_format(&text, "it took our probe%s%s, but nothing arrived in mailbox %s within %s",
                outcome->queue_id[0] == '\0' ? "" : " as ", outcome->queue_id,
                mailbox->settings->name, within);
    if (strcmp(error->message, "no answer in time") != 0) {
        text_format(&text, ": %s", error->message);
    }
    live_result_fail(result, ADVICE_SMTP, said);
    result->advice = "Look for it in the mail log. Is the address that of this mailbox? Does a "
                     "spam filter or a rule put it elsewhere (then name that folder: --folder)? "
                     "Greylisting? With --wait it may take longer.";
}

static void await_arrival(const struct submit_job *job, const struct submit_outcome *outcome,
                          struct live_mailbox *mailbox, struct span patience,
                          struct live_result *result)
{
    struct moment arrived;
    struct error error;
    struct instant deadline = instant_add(clock_now().instant, patience);
    if (!mailbox->readable) {
        live_result_succeed(result, "it took our probe; whether that arrives is not known, for "
                                    "the mailbox cannot be read");
    } else if (patience.ns == 0) {
        live_result_succeed(result, "it took our probe");
    } else if (live_mailbox_await(mailbox, &job->tag.id, deadline, &arrived, &error)) {
        live_result_add_leg(result, "latency",
                            instant_since(arrived.instant, outcome->sent.instant));
        live_result_succeed(result, "our probe has arrived");
    } else {
        tell_in_vain(outcome, mailbox, patience, &error, result);
    }
}

void live_relay_try(const char *name, const char *probers, const struct settings *settings,
                    const struct relay_settings *relay, struct live_mailbox *mailbox,
                    struct span patience, struct live_result *result)
{
    struct submit_job job;
    struct submit_outcome outcome;
    struct error error;
    struct text target = TEXT_OVER(result->target);
    text_copy(result->subject, sizeof result->subject, name);
    text_format(&target, "%s:%u", relay->host, (unsigned)relay->port);
    compose_job(settings, relay, &job);
    if (!live_token_get(probers, settings, &relay->oauth, job.relay.token, &error) ||
        !submit(probers, &job, &outcome, &error)) {
        live_result_fail(result, ADVICE_SMTP, error.message);
    } else {
        for (int i = 0; i < SUBMIT_LEGS; i++) {
            live_result_add_leg(result, submit_leg_name((enum submit_leg)i), outcome.legs[i]);
        }
        live_result_add_certificate(result, &outcome.certificate);
        if (outcome.result == SUBMIT_ACCEPTED) {
            await_arrival(&job, &outcome, mailbox, patience, result);
        } else {
            tell_refusal(&outcome, result);
        }
    }
    explicit_bzero(&job, sizeof job);
}
