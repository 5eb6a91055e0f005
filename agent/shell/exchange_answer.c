#include "shell/exchange_answer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "shell/exchange_message.h"

static const struct {
    enum exchange_rejection reason;
    int status;
} STATUSES[] = {
    {EXCHANGE_BAD_SIGNATURE, 401}, {EXCHANGE_MALFORMED, 400}, {EXCHANGE_UNKNOWN_PEER, 403},
    {EXCHANGE_MISROUTED, 403},     {EXCHANGE_NOT_FRESH, 409}, {EXCHANGE_SEEN_BEFORE, 409},
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
        *reason = EXCHANGE_MISROUTED;
        return error_set(error, "this is the agent of %s, not of %s", settings->server,
                         message->to);
    }
    if (*peer < 0 || settings->peers[*peer].collect[0] != '\0') {
        *reason = EXCHANGE_UNKNOWN_PEER;
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
    case EXCHANGE_FRESH:
        return true;
    case EXCHANGE_REPLAYED:
        *reason = EXCHANGE_SEEN_BEFORE;
        return error_set(error, "this message of %s has been seen before", message->from);
    case EXCHANGE_STALE:
        break;
    }
    *reason = EXCHANGE_NOT_FRESH;
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
    *reason = EXCHANGE_BAD_SIGNATURE;
    if (!exchange_message_verify(request->body, request->body_length, request->signature,
                                 &settings->mesh_keys, error)) {
        return false;
    }
    *reason = EXCHANGE_MALFORMED;
    return exchange_message_read(request->body, request->body_length, false, out, error) &&
           find_peer(settings, out, peer, reason, error) &&
           check_freshness(agent, *peer, out, request->now.wall, reason, error);
}

static void reply(struct agent *agent, int peer, const struct exchange_message *request,
                  struct walltime received, struct http_response *response)
{
    enum { REPLY_SIZE = FETCH_BODY_MAXIMUM + 1 };
    struct exchange_message message;
    char *body = memory_checked(malloc(REPLY_SIZE));
    struct text text = text_over(body, REPLY_SIZE);
    exchange_message_compose(agent_core(agent), peer, clock_now(), &message);
    message.reply = true;
    message.in_reply_to = request->nonce;
    message.received = received;
    bool fits = exchange_message_write(&message, &text);
    assert(fits);
    *response = (struct http_response){
        .status = 200, .content_type = "application/json", .body = body, .length = text.length};
    struct text signature = TEXT_OVER(response->signature);
    exchange_message_sign(body, text.length, &agent_settings(agent)->mesh_keys.keys[0], &signature);
}

void exchange_answer(struct agent *agent, const struct http_request *request,
                     struct http_response *response)
{
    struct exchange_message message;
    struct error error;
    enum exchange_rejection reason;
    int peer;
    if (!read_request(agent, request, &message, &peer, &reason, &error)) {
        reject(agent, reason, &error, response);
    } else if (!agent_take_exchange(agent, peer, &message, request->now.wall, &error)) {
        http_respond_problem(response, 503, "the ledger of %s cannot take it: %s", message.to,
                             error.message);
    } else {
        reply(agent, peer, &message, request->now.wall, response);
    }
}
