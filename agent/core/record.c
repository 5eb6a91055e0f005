#include "core/record.h"

#include <string.h>

static const char *const STATE_NAMES[PROBE_STATES] = {
    "sending", "accepted", "refused", "uncertain", "arrived", "bounced", "lost",
};

const char *probe_state_name(enum probe_state state)
{
    return STATE_NAMES[state];
}

bool probe_state_parse(const char *name, enum probe_state *out)
{
    for (int i = 0; i < PROBE_STATES; i++) {
        if (strcmp(name, STATE_NAMES[i]) == 0) {
            *out = (enum probe_state)i;
            return true;
        }
    }
    return false;
}
