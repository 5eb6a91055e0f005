// The files that a path of `peers_from` names: itself, or what matches the pattern that its last
// part is (fnmatch(3); what begins with a dot is hidden).
#ifndef MAILFLOW_CONFIG_PEER_FILES_H
#define MAILFLOW_CONFIG_PEER_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { PEER_FILES_MAXIMUM = 256 }; // that match one pattern

struct peer_files {
    char **paths; // in order
    size_t count;
};

// Whether anything but its last part is a pattern: that would be a search of the whole disk.
bool peer_files_is_too_wide(const char *path);

// A path that is no pattern is found whether the file exists or not. False with the reason when the
// directory cannot be read, or has too many of them; then there is nothing to free.
bool peer_files_find(const char *path, struct peer_files *out, struct error *error);

// Whether peer_files_find would find this file if it were there.
bool peer_files_match(const char *path, const char *file);

void peer_files_free(struct peer_files *files);

#endif
