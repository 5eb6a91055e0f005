#include "shell/relays.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum { RELAYS_MAXIMUM = 16384 };

#define USUAL_DURATION SPAN_SECONDS(3) // of a job; longer, and its relay may be hanging

uint32_t relays_find(struct relays *relays, const struct probe_endpoint *endpoint)
{
    for (uint32_t i = 0; i < relays->count; i++) {
        if (relays->items[i].port == endpoint->port &&
            strcmp(relays->items[i].host, endpoint->host) == 0) {
            return i;
        }
    }
    if (relays->count == RELAYS_MAXIMUM) {
        return 0; // shares the fate of the first, which is harmless
    }
    size_t size = (relays->count + 1) * sizeof *relays->items;
    relays->items = memory_checked(realloc(relays->items, size));
    struct relay *relay = &relays->items[relays->count];
    *relay = (struct relay){.port = endpoint->port, .window = 1, .oldest = INSTANT_NEVER};
    text_copy(relay->host, sizeof relay->host, endpoint->host);
    return relays->count++;
}

void relays_destroy(struct relays *relays)
{
    free(relays->items);
}

bool relay_is_hanging(const struct relay *relay, struct instant now)
{
    return instant_reached(now, instant_add(relay->oldest, USUAL_DURATION));
}

bool relay_may_hold_another(const struct relay *relay, unsigned suspects, struct instant now)
{
    unsigned window = relay_is_hanging(relay, now) ? 1 : relay->window;
    return relay->held < window && (!relay->suspect || suspects < SUSPECTS_MAXIMUM);
}

void relay_take_hold(struct relay *relay, struct instant now)
{
    relay->held++;
    relay->oldest = instant_earlier(relay->oldest, now);
}

void relay_let_go(struct relay *relay, bool in_time, struct instant oldest)
{
    relay->held--;
    relay->suspect = !in_time;
    relay->window = !in_time                               ? 1
                    : relay->window < RELAY_WINDOW_MAXIMUM ? relay->window * 2
                                                           : RELAY_WINDOW_MAXIMUM;
    relay->oldest = oldest;
}
