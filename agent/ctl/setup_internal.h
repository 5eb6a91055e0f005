// What the parts of setup share: the way through (setup.c), drafting the files (setup_draft.c),
// telling what has been written and what is next (setup_report.c).
#ifndef MAILFLOW_CTL_SETUP_INTERNAL_H
#define MAILFLOW_CTL_SETUP_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "ctl/plan.h"
#include "ctl/staging.h"
#include "ctl/verb.h"

struct setup {
    const struct context *context;
    const struct mesh_token *token;
    struct plan plan;
    struct staging staging;
    json_t *live; // NULL: printed
    bool asking;
    bool replaces; // a configuration that is there
};

// The name of the configuration's file, without its folder.
const char *setup_config_name(const struct setup *setup);

// Whether there is a secret of this name beside the configuration, usable or not.
bool setup_has_secret(const struct setup *setup, const char *name);

// Fills in the mesh key: the token's, the one that is there, or a new one. False with the reason
// when the one that is there is in the way.
bool setup_choose_key(struct setup *setup, struct error *error);

// Drafts every file that the plan makes.
bool setup_draft(struct setup *setup, struct error *error);

// Loads what has been written, tells what is next, and returns the exit code.
int setup_conclude(const struct setup *setup);

// As JSON, what was tried when nothing has been written.
void setup_report_trials(const struct setup *setup);

#endif
