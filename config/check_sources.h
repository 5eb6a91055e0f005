// What the keys of one source under `peers_from` mean together.
#ifndef MAILFLOW_CONFIG_CHECK_SOURCES_H
#define MAILFLOW_CONFIG_CHECK_SOURCES_H

#include "config/read.h"

void source_settings_check(struct reading *reading, const struct node *map,
                           const struct peer_source_settings *source);

#endif
