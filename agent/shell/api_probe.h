// One probe's whole life as the API tells it, down to the windows that touch it and the rule by
// which it was judged.
#ifndef MAILFLOW_SHELL_API_PROBE_H
#define MAILFLOW_SHELL_API_PROBE_H

#include <jansson.h>

#include "shell/agent.h"

// The probe with this id, or the only one whose id begins so: 200, else the status of the answer
// and what it says.
int api_find_probe(struct agent *agent, const char *id, struct store_probe *out,
                   struct error *error);

json_t *api_json_probe(const struct agent *agent, const struct store_probe *probe,
                       struct walltime now);

// What is told of one probe alone: the same, and how its arrival was seen ("absent", "asked",
// "present", "saved", "mailbox", "folder", "stripped"), the peer's clock against ours as it is
// known now ("clock": {"offset_seconds","error_seconds"}), and how much of its life each window
// covers ("windows_consulted":
// [{"id","server","kind","begin","end","recovered","covers_seconds"}]).
json_t *api_json_probe_whole(const struct agent *agent, const struct store_probe *probe,
                             struct moment now);

#endif
