// Files that appear all together or not at all: they are drafted in a hidden folder beside the
// place where they are to be, and moved there in the end. What is there already is never replaced
// unless that is asked for.
//
// Drafts are a configuration of their own: settings_load of staging_draft reads them, and what was
// kept and conf.d along with them.
#ifndef MAILFLOW_CTL_STAGING_H
#define MAILFLOW_CTL_STAGING_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

enum { STAGING_FILES_MAXIMUM = 68, STAGING_NAME_SIZE = 64 };

struct staged_file {
    char name[STAGING_NAME_SIZE];
    bool kept; // a link to what is there already
};

struct staging {
    char folder[PATH_MAX]; // where the files are to be
    char draft[PATH_MAX];  // "" = not begun, or over
    struct staged_file files[STAGING_FILES_MAXIMUM];
    size_t count;
    bool made_folder;
};

// `beside` is the path of a file; its folder is made where it is missing (not its parents).
bool staging_begin(struct staging *staging, const char *beside, struct error *error);

bool staging_write(struct staging *staging, const char *name, mode_t mode, const char *bytes,
                   size_t length, struct error *error);

// A file that is there already and stays.
bool staging_keep(struct staging *staging, const char *name, struct error *error);

// The path of a draft.
void staging_draft(const struct staging *staging, const char *name, char path[PATH_MAX]);

// Moves the files to their places, in the order in which they were written, and ends the staging.
// False with the reason, and then no file has appeared (one that was to be replaced may have been).
bool staging_commit(struct staging *staging, bool replace, struct error *error);

// After a commit that replaced nothing: removes what it brought.
void staging_take_back(const struct staging *staging);

// Leaves nothing behind. Does nothing when the staging is over.
void staging_abandon(struct staging *staging);

#endif
