// An incident as the API tells it: what it is about, what is known of it, what it left behind.
#ifndef MAILFLOW_SHELL_API_INCIDENT_H
#define MAILFLOW_SHELL_API_INCIDENT_H

#include <jansson.h>

#include "core/incident.h"
#include "shell/store.h"

// "evidence" has the members that mean something for the kind; "aftermath" is null for a kind that
// holds no mail up. The store is asked for the report of what came back.
json_t *api_json_incident(struct store *store, const struct incident *incident);

#endif
