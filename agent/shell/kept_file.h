// A small file of our own in the state directory that is there whole or not at all.
#ifndef MAILFLOW_SHELL_KEPT_FILE_H
#define MAILFLOW_SHELL_KEPT_FILE_H

#include <stdbool.h>

#include "base/error.h"

// Puts the text in the place of what the file had, durably. The directory is made when it is not
// there, but not what that lies in. False with the reason, and the file as it was.
bool kept_file_write(const char *path, const char *text, struct error *error);

// What is in it, for the caller to free; NULL when it cannot be read or is absurdly large.
char *kept_file_read(const char *path);

#endif
