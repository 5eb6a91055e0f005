// The numbers that a scenario may set: those of the agents and those of the mail world around them.
// One table of names, so that every number is written the same way: set NAME VALUE.
#ifndef MAILFLOW_SIMULATION_PARAMETERS_H
#define MAILFLOW_SIMULATION_PARAMETERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"

struct parameters {
    struct path_settings path;
    struct maintenance_settings maintenance;
    struct incident_settings incidents;
    struct span retention;
    struct span submit;      // from the decision to send to the content; as long again to the reply
    struct span lag;         // from the mailbox to the eyes of its reader
    struct span width;       // of the interval [absent, present] that the reader reports
    struct span collect;     // between two complete reads of a mailbox
    struct span retry_first; // of a deferred message; grows with its age ...
    struct span retry_last;  // ... up to this
    struct span queue_run;   // deferred messages wait for the next multiple of it; zero: none
    struct span warn_after;  // a sender is told that its message is delayed; zero: never
    struct span restart;     // how long an agent is gone when it restarts
    uint32_t acknowledgements; // whether the journal tells of each
    uint32_t saved;            // whether mailboxes tell when they saved a message
};

struct parameters parameters_default(void);

// False with an error when there is no such number or the value is none.
bool parameters_set(struct parameters *parameters, const char *name, const char *value,
                    struct error *error);

#endif
