#include "shell/relays.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum { RELAYS_MAXIMUM = 16384 };

uint32_t relays_find(struct relays *relays, const char *host, uint16_t port)
{
    for (uint32_t i = 0; i < relays->count; i++) {
        if (relays->items[i].port == port && strcmp(relays->items[i].host, host) == 0) {
            return i;
        }
    }
    if (relays->count == RELAYS_MAXIMUM) {
        return 0; // shares the fate of the first, which is harmless
    }
    size_t size = (relays->count + 1) * sizeof *relays->items;
    relays->items = memory_checked(realloc(relays->items, size));
    struct relay *relay = &relays->items[relays->count];
    *relay = (struct relay){.port = port, .window = 1};
    text_copy(relay->host, sizeof relay->host, host);
    return relays->count++;
}

void relays_destroy(struct relays *relays)
{
    free(relays->items);
}

bool relay_may_hold_another(const struct relay *relay, unsigned hanging, unsigned suspects)
{
    unsigned window = hanging > 0 ? hanging + 1 : relay->window;
    bool doubtful = relay->suspect || hanging > 0;
    return relay->held < window && hanging < RELAY_HANGING_MAXIMUM &&
           (!doubtful || suspects < SUSPECTS_MAXIMUM);
}

void relay_let_go(struct relay *relay, bool in_time)
{
    relay->held--;
    relay->suspect = !in_time;
    relay->window = !in_time                               ? 1
                    : relay->window < RELAY_WINDOW_MAXIMUM ? relay->window * 2
                                                           : RELAY_WINDOW_MAXIMUM;
}
