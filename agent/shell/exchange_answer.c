#include "shell/exchange_answer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "shell/exchange_message.h"

static const struct {
    enum exchange_rejection reason;
    enum exchange_status status;
} STATUSES[] = {
    {EXCHANGE_REJECTED_SIGNATURE, EXCHANGE_STATUS_NOT_SIGNED},
    {EXCHANGE_REJECTED_MALFORMED, EXCHANGE_STATUS_NO_MESSAGE},
    {EXCHANGE_REJECTED_UNKNOWN_PEER, EXCHANGE_STATUS_NOT_A_PEER},
    {EXCHANGE_REJECTED_MISROUTED, EXCHANGE_STATUS_NOT_A_PEER},
    {EXCHANGE_REJECTED_STALE, EXCHANGE_STATUS_OUT_OF_DATE},
    {EXCHANGE_REJECTED_REPLAYED, EXCHANGE_STATUS_OUT_OF_DATE},
};

static void reject(struct agent *agent, enum exchange_rejection reason, const struct error *why,
                   struct http_response *response)
{
    size_t at = 0;
    while (STATUSES[at].reason != reason) {
        at++;
    }
    agent_reject_exchange(agent, reason, why->message);
    http_respond_problem(response, STATUSES[at].status, "%s", why->message);
    response->authenticate = FETCH_SIGNATURE_HEADER;
}

// Who sent it and to whom; false with the reason when that is nobody of ours.
static bool find_peer(const struct settings *settings, const struct exchange_message *message,
                      int *peer, enum exchange_rejection *reason, struct error *error)
{
    *peer = settings_find_peer(settings, message->from);
    if (strcmp(message->to, settings->server) != 0) {
        *reason = EXCHANGE_REJECTED_MISROUTED;
        return error_set(error, "this is the agent of %s, not of %s", settings->server,
                         message->to);
    }
    if (*peer < 0 || settings->peers[*peer].collect[0] != '\0') {
        *reason = EXCHANGE_REJECTED_UNKNOWN_PEER;
        return error_set(error, "%s has no peer %s with an agent: add it to its peers",
                         settings->server, message->from);
    }
    return true;
}

static bool check_freshness(struct agent *agent, int peer, const struct exchange_message *message,
                            struct walltime now, enum exchange_rejection *reason,
                            struct error *error)
{
    switch (agent_admit_exchange(agent, peer, message, now)) {
    case EXCHANGE_GUARD_FRESH:
        return true;
    case EXCHANGE_GUARD_REPLAYED:
        *reason = EXCHANGE_REJECTED_REPLAYED;
        return error_set(error, "this message of %s has been seen before", message->from);
    case EXCHANGE_GUARD_STALE:
        break;
    }
    *reason = EXCHANGE_REJECTED_STALE;
    return error_set(error,
                     "this message of %s was made %.0f s ago by the clock of %s, or before its "
                     "agent started: compare the clocks",
                     message->from, span_seconds(walltime_since(now, message->time)), message->to);
}

// False with the reason when the request is not to be taken.
static bool read_request(struct agent *agent, const struct http_request *request,
                         struct exchange_message *out, int *peer, enum exchange_rejection *reason,
                         struct error *error)
{
    const struct settings *settings = agent_settings(agent);
    *reason = EXCHANGE_REJECTED_SIGNATURE;
    if (!exchange_message_verify(request->body, request->body_length, request->signature,
                                 &settings->mesh_keys, error)) {
        return false;
    }
    *reason = EXCHANGE_REJECTED_MALFORMED;
    return exchange_message_read(request->body, request->body_length, false, out, error) &&
           find_peer(settings, out, peer, reason, error) &&
           (out->check || check_freshness(agent, *peer, out, request->now.wall, reason, error));
}

static void reply(struct agent *agent, struct exchange_message *message,
                  const struct exchange_message *request, struct walltime received,
                  struct http_response *response)
{
    enum { REPLY_SIZE = FETCH_BODY_MAXIMUM + 1 };
    char *body = memory_checked(malloc(REPLY_SIZE));
    struct text text = text_over(body, REPLY_SIZE);
    message->reply = true;
    message->in_reply_to = request->nonce;
    message->received = received;
    bool fits = exchange_message_write(message, &text);
    assert(fits);
    *response = (struct http_response){.status = EXCHANGE_STATUS_ANSWERED,
                                       .content_type = "application/json",
                                       .body = body,
                                       .length = text.length};
    struct text signature = TEXT_OVER(response->signature);
    exchange_message_sign(body, text.length, &agent_settings(agent)->mesh_keys.keys[0], &signature);
}

// Whoever can read along may ask again and again: nothing is told.
static void reply_to_check(struct agent *agent, const struct exchange_message *request,
                           struct walltime received, struct http_response *response)
{
    struct exchange_message message;
    exchange_message_compose_check(request->to, request->from, clock_now().wall, &message);
    reply(agent, &message, request, received, response);
}

void exchange_answer(struct agent *agent, const struct http_request *request,
                     struct http_response *response)
{
    struct exchange_message message, ours;
    struct error error;
    struct walltime received = request->now.wall;
    enum exchange_rejection reason;
    int peer;
    if (!read_request(agent, request, &message, &peer, &reason, &error)) {
        reject(agent, reason, &error, response);
    } else if (message.check) {
        reply_to_check(agent, &message, received, response);
    } else if (!agent_take_exchange(agent, peer, &message, received, &error)) {
        http_respond_problem(response, EXCHANGE_STATUS_NOT_KEPT,
                             "the ledger of %s cannot take it: %s", message.to, error.message);
    } else {
        exchange_message_compose(agent_core(agent), peer, clock_now(), &ours);
        reply(agent, &ours, &message, received, response);
    }
}
