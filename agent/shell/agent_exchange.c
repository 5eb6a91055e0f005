#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "probes/endpoint.h"
#include "probes/exchange_reply.h"
#include "shell/agent_internal.h"
#include "shell/exchange_message.h"

#define GREETING_DEADLINE SPAN_SECONDS(20)
#define EXCHANGE_DEADLINE SPAN_SECONDS(10)
#define IN_TIME           SPAN_SECONDS(3) // an answer that takes longer may be none next time
#define SET_LEAST         SPAN_MS(1)      // a clock that is disciplined moves by far less meanwhile

void agent_configure_exchanges(struct agent *agent)
{
    bool wanted = false;
    exchanges_configure(&agent->exchanges, agent->settings);
    for (size_t i = 0; i < agent->settings->peer_count; i++) {
        wanted |= agent->settings->peers[i].agent[0] != '\0';
    }
    fetcher_want(agent->fetcher, wanted);
}

// ---- ours: a request goes out, its reply comes back ----

static void fail(struct agent *agent, int peer, const char *cause)
{
    struct event event = {.kind = EVENT_EXCHANGE_FAILED};
    event.exchange_failed.peer = peer;
    event.exchange_failed.cause = cause;
    agent_feed(agent, &event);
}

void agent_refuse_exchange(struct agent *agent, const char *name, const char *cause)
{
    int peer = settings_find_peer(agent->settings, name);
    if (peer >= 0) {
        fail(agent, peer, cause);
    }
}

void agent_want_exchange(struct agent *agent, const char *name)
{
    int peer = settings_find_peer(agent->settings, name);
    if (peer >= 0 && agent->settings->peers[peer].agent[0] != '\0') {
        exchanges_want(&agent->exchanges, peer);
    }
}

static void begin(struct agent *agent, int peer)
{
    const struct settings *settings = agent->settings;
    struct moment now = clock_now();
    struct exchange_message message;
    struct fetch_job job = {.deadline = instant_add(now.instant, EXCHANGE_DEADLINE)};
    struct text url = TEXT_OVER(job.url), body = TEXT_OVER(job.body.bytes);
    struct text signature = TEXT_OVER(job.signature);
    exchange_message_compose(agent->core, peer, now, &message);
    endpoint_of_agent(&settings->peers[peer], EXCHANGE_PATH, &url);
    text_copy(job.ca_file, sizeof job.ca_file, settings->http.ca_file);
    bool fits = exchange_message_write(&message, &body);
    assert(fits);
    job.body.length = body.length;
    exchange_message_sign(body.data, body.length, &settings->mesh_keys.keys[0], &signature);
    int64_t number = fetcher_give(agent->fetcher, settings->peers[peer].name, &job);
    exchanges_begun(&agent->exchanges, peer, number, &message.nonce, now);
}

void agent_serve_exchanges(struct agent *agent)
{
    int peer;
    while ((peer = exchanges_next(&agent->exchanges, fetcher_running(agent->fetcher))) >= 0) {
        begin(agent, peer);
    }
}

// Whether the outcome is a reply of this peer to our request.
static bool read_reply(const struct agent *agent, const struct exchange_peer *peer,
                       const struct fetch_outcome *outcome, struct exchange_message *out,
                       struct error *error)
{
    const struct settings *settings = agent->settings;
    const struct exchange_request request = {settings->server, peer->name, &peer->nonce};
    const struct exchange_response response = {.status = outcome->status,
                                               .signature = outcome->signature,
                                               .bytes = outcome->body.bytes,
                                               .length = outcome->body.length,
                                               .came = outcome->ended.wall};
    if (outcome->status == 0) {
        return error_set(error, "%s", outcome->cause);
    }
    return exchange_reply_read(&response, &request, &settings->mesh_keys, out, error) ==
           EXCHANGE_REPLY_GOOD;
}

static void feed(struct agent *agent, int peer, const struct exchange_message *message,
                 const struct round_trip *trip)
{
    struct event event = {.kind = EVENT_EXCHANGE};
    event.exchange.peer = peer;
    event.exchange.exchange = &message->exchange;
    event.exchange.trip = *trip;
    agent->exchanges.peers[peer].blind = message->blind;
    agent->exchanges.peers[peer].draining = message->draining;
    agent_feed(agent, &event);
}

// When our request was made and the reply to it came back; none when our clock was set meanwhile.
static struct round_trip trip_of(const struct exchange_message *reply, struct moment begun,
                                 struct moment ended)
{
    struct span by_wall = walltime_since(ended.wall, begun.wall);
    struct span set = span_subtract(by_wall, instant_since(ended.instant, begun.instant));
    if (span_magnitude(set).ns > SET_LEAST.ns) {
        return (struct round_trip){0};
    }
    return (struct round_trip){begun.wall, reply->received, reply->time, ended.wall};
}

void agent_on_fetched(void *context, const char *name, const struct fetch_outcome *outcome)
{
    struct agent *agent = context;
    struct exchange_message reply = {0};
    struct error error;
    int index = settings_find_peer(agent->settings, name);
    if (index < 0 || agent->exchanges.peers[index].running != outcome->number) {
        return; // a reload removed the peer meanwhile
    }
    agent_feed_certificate(agent, &(struct certificate_endpoint){CERTIFICATE_AGENT, index},
                           &outcome->certificate, outcome->cause);
    struct exchange_peer *peer = &agent->exchanges.peers[index];
    struct span took = instant_since(outcome->ended.instant, peer->begun.instant);
    bool good = read_reply(agent, peer, outcome, &reply, &error);
    exchanges_ended(&agent->exchanges, index, took.ns <= IN_TIME.ns);
    if (good) {
        peer->done++;
        peer->last_duration = took;
    } else {
        peer->failed++;
    }
    if (peer->failing == good) {
        journal_exchange(agent->journal, name, good ? "" : error.message);
        peer->failing = !good;
    }
    if (good) {
        struct round_trip trip = trip_of(&reply, peer->begun, outcome->ended);
        feed(agent, index, &reply, &trip);
    } else {
        fail(agent, index, error.message);
    }
}

void agent_on_fetcher_died(void *context, const char *how)
{
    struct agent *agent = context;
    journal_prober_died(agent->journal, "mailflow-fetch", how);
}

// ---- theirs ----

void agent_reject_exchange(struct agent *agent, enum exchange_rejection reason, const char *cause)
{
    agent->exchanges.rejected[reason]++;
    journal_exchange_rejected(agent->journal, exchange_rejection_name(reason), cause);
}

enum exchange_freshness agent_admit_exchange(struct agent *agent, int peer,
                                             const struct exchange_message *message,
                                             struct walltime now)
{
    return exchange_guard_admit(&agent->exchanges.peers[peer].guard, &message->nonce, message->time,
                                now);
}

bool agent_take_exchange(struct agent *agent, int peer, const struct exchange_message *message,
                         struct walltime received, struct error *error)
{
    struct round_trip trip = {.requested = message->time, .received = received};
    agent->exchanges.peers[peer].received++;
    feed(agent, peer, message, &trip);
    return agent_settle(agent) || error_set(error, "%s", agent->ledger_failure.message);
}

const struct exchanges *agent_exchanges(const struct agent *agent)
{
    return &agent->exchanges;
}

// ---- the peer's mail server ----

void agent_ask_for_greeting(struct agent *agent, const char *name)
{
    int peer = settings_find_peer(agent->settings, name);
    if (peer < 0) {
        return; // a reload removed it within this very turn
    }
    struct greet_job job = {.deadline = instant_add(clock_now().instant, GREETING_DEADLINE)};
    endpoint_of_peer(&agent->settings->peers[peer], &job);
    greeters_ask(agent->greeters, name, &job);
}

void agent_on_greeted(void *context, const char *name, const struct greet_outcome *outcome)
{
    struct agent *agent = context;
    struct event event = {.kind = EVENT_GREETED};
    event.greeted.peer = settings_find_peer(agent->settings, name);
    event.greeted.greeted = outcome->greeted;
    event.greeted.cause = outcome->cause;
    if (event.greeted.peer >= 0) {
        agent_feed(agent, &event);
    }
}
