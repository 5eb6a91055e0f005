// Files read whole and bounded: configuration, secrets. Only regular files, so that neither a FIFO
// nor a device can hold us up.
#ifndef MAILFLOW_CONFIG_FILE_H
#define MAILFLOW_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"

// The bytes of the file with a NUL behind them, for the caller to free, and what the file is. NULL
// with the reason, in which the path is not named, when they cannot be read or are more than
// `maximum`.
char *file_read(const char *path, size_t maximum, size_t *length, struct stat *what,
                struct error *error);

// Whether file_read would find a file it may read; false with the reason.
bool file_readable(const char *path, struct error *error);

// Whether it is a file that we may execute; false with the reason.
bool file_executable(const char *path, struct error *error);

#endif
