// What a path is used to, and what its newest probes found instead: the route, where they spent
// their time, what the receiving server says of their authentication, and the folder they lie in.
#ifndef MAILFLOW_SHELL_PAGE_WAY_H
#define MAILFLOW_SHELL_PAGE_WAY_H

#include "core/core.h"

// A section, or nothing of a path whose probes we do not see arrive.
void page_append_way(struct text *out, const struct path *path);

// "the last probe came from mx04.example to mx02.example in 1 min 59 s".
void page_append_slowest(struct text *out, const struct slowest_hop *hop);

// Names of hosts with a blank between them, with arrows.
void page_append_route(struct text *out, const char *route);

#endif
