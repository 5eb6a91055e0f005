// The questions of setup and join, put to a person at a terminal.
#ifndef MAILFLOW_CTL_PLAN_QUESTIONS_H
#define MAILFLOW_CTL_PLAN_QUESTIONS_H

#include <stdbool.h>

#include "ctl/options.h"
#include "ctl/plan.h"

struct plan_questions {
    const struct command *command;  // what is given there is not asked, unless it did not work
    const struct mesh_token *token; // of a mesh to join, or NULL: names that others have
    bool again;                     // something did not work: all of it, and the finer points too
    bool has_password;              // one lies in its file already
};

// False when the person has gone away or interrupted.
bool plan_ask(struct plan *plan, const struct plan_questions *questions);

#endif
