// When we exchange with a peer's agent over HTTP: once per interval, and at once when there is
// something to tell.
#include "core/server.h"

#include <stdlib.h>

#define BETWEEN_EXCHANGES SPAN_SECONDS(15)
#define BETWEEN_ATTEMPTS  SPAN_SECONDS(1) // doubled with every failure ...
#define ATTEMPTS_SPACING  SPAN_MINUTES(1) // ... up to this
#define GIVEN_UP_AFTER    SPAN_SECONDS(30)

static bool has_agent(const struct peer *peer)
{
    return peer->collect < 0 && peer->settings->agent[0] != '\0';
}

static struct span interval_of(const struct peer *peer)
{
    return span_longer(peer->settings->path.interval, BETWEEN_EXCHANGES);
}

static void schedule(struct core *core, int peer, struct instant due)
{
    core->peers[peer].exchange.due = due;
    core_set_timer(core, peer, TIMER_EXCHANGE, due);
}

void exchange_configure(struct core *core, int peer, struct moment now)
{
    struct exchanging *exchange = &core->peers[peer].exchange;
    if (!has_agent(&core->peers[peer])) {
        free(exchange->cause);
        *exchange = (struct exchanging){.due = INSTANT_NEVER};
    } else if (exchange->due.ns == 0 || exchange->due.ns == INSTANT_NEVER.ns) {
        double wait = random_stream_fraction(&core->random) * (double)SPAN_SECONDS(5).ns;
        exchange->due = instant_add(now.instant, (struct span){(int64_t)wait});
    }
    schedule(core, peer, exchange->due);
}

void exchange_due(struct core *core, int peer, struct moment now)
{
    struct exchanging *exchange = &core->peers[peer].exchange;
    struct instant given_up = instant_add(exchange->asked_at, GIVEN_UP_AFTER);
    if (exchange->under_way && !instant_reached(now.instant, given_up)) {
        schedule(core, peer, given_up);
        return;
    }
    exchange->under_way = true;
    exchange->again = false;
    exchange->asked = now.wall;
    exchange->asked_at = now.instant;
    core_act(core, ACTION_EXCHANGE)->peer = peer;
    schedule(core, peer, instant_add(now.instant, interval_of(&core->peers[peer])));
}

void exchange_owe(struct core *core, int peer, struct moment now)
{
    struct exchanging *exchange = &core->peers[peer].exchange;
    if (!has_agent(&core->peers[peer])) {
        return;
    }
    if (exchange->under_way) {
        exchange->again = true;
        return;
    }
    struct instant due = now.instant;
    if (exchange->failures > 0) {
        due = instant_later(due, instant_add(exchange->asked_at, BETWEEN_ATTEMPTS));
    }
    schedule(core, peer, instant_earlier(exchange->due, due));
}

bool core_exchange_is_fresh(const struct core *core, int peer, struct moment now)
{
    const struct exchanging *exchange = &core->peers[peer].exchange;
    struct span interval = interval_of(&core->peers[peer]);
    return exchange->exchanged_at.ns != 0 &&
           instant_since(now.instant, exchange->exchanged_at).ns <= span_times(interval, 2).ns;
}

bool exchange_says_isolated(const struct core *core, int peer, struct moment now)
{
    return core->peers[peer].exchange.isolated && core_exchange_is_fresh(core, peer, now);
}

// What an exchange tells of the two clocks: ours of both ways, the peer's of the way to us.
static void relate_clocks(struct core *core, int peer, const struct round_trip *trip,
                          struct moment now)
{
    struct clock_relation *clock = &core->peers[peer].clock;
    struct clock_reading reading;
    if (!walltime_known(trip->received)) {
        return;
    }
    if (!walltime_known(trip->returned)) {
        struct span shown = walltime_since(trip->received, trip->requested);
        clock_relation_observe(clock, INBOUND, shown, now.instant);
    } else if (clock_reading_take(trip, now.instant, &reading)) {
        clock_relation_exchanged(clock, &reading);
    }
    clock_finding_look(core, peer, now.wall, now);
}

void exchange_came(struct core *core, int peer, const struct exchange *said,
                   const struct round_trip *trip, struct moment now)
{
    struct exchanging *exchange = &core->peers[peer].exchange;
    struct receipts receipts;
    struct error error;
    exchange->under_way = false;
    exchange->failures = 0;
    text_keep(&exchange->cause, EXCHANGE_CAUSE_SIZE, "");
    exchange->exchanged = now.wall;
    exchange->exchanged_at = now.instant;
    exchange->isolated = said->isolated;
    core->peers[peer].heard = now.wall;
    relate_clocks(core, peer, trip, now);
    courier_take(core, peer, said->maintenance, now);
    witness_take(core, peer, said->row, now.instant);
    if (said->receipts[0] != '\0' && receipts_parse(said->receipts, &receipts, &error)) {
        size_t before = core->peers[peer].outbound.flights.count;
        fate_receipts(core, peer, &receipts, now);
        if (core->peers[peer].outbound.flights.count < before) {
            outbound_heard(core, peer, now); // mail has come through
        }
    }
    if (exchange->again) {
        exchange->again = false;
        exchange_owe(core, peer, now);
    }
}

void exchange_failed(struct core *core, int peer, const char *cause, struct moment now)
{
    struct exchanging *exchange = &core->peers[peer].exchange;
    unsigned doublings = exchange->failures < 6 ? exchange->failures : 6;
    struct span wait = span_times(BETWEEN_ATTEMPTS, (int64_t)1 << doublings);
    exchange->under_way = false;
    exchange->failures++;
    text_keep(&exchange->cause, EXCHANGE_CAUSE_SIZE, cause);
    if (has_agent(&core->peers[peer]) && courier_owes(core, peer, now)) {
        wait = exchange->again ? BETWEEN_ATTEMPTS : span_shorter(wait, ATTEMPTS_SPACING);
        schedule(core, peer, instant_add(now.instant, wait));
    }
    exchange->again = false;
}
