// Who the operator is: the user who runs this program, under sudo the one behind it.
#ifndef MAILFLOW_CTL_ASKER_H
#define MAILFLOW_CTL_ASKER_H

#include <jansson.h>

// As the member "by" of a request; the agent adds at which server.
void asker_write(json_t *request);

#endif
