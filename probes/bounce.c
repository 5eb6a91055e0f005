#include "probes/bounce.h"

#include <string.h>

static const char *const ACTION_NAMES[BOUNCE_ACTIONS] = {"failed", "delayed", "other"};

const char *bounce_action_name(enum bounce_action action)
{
    return ACTION_NAMES[action];
}

bool bounce_action_parse(const char *name, enum bounce_action *out)
{
    for (int i = 0; i < BOUNCE_ACTIONS; i++) {
        if (strcmp(name, ACTION_NAMES[i]) == 0) {
            *out = (enum bounce_action)i;
            return true;
        }
    }
    return false;
}
