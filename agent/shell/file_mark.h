// By what a file is recognised as changed: which one it is, how large, when it was written, and
// when anything else about it changed, such as who may read it.
#ifndef MAILFLOW_SHELL_FILE_MARK_H
#define MAILFLOW_SHELL_FILE_MARK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/instant.h"

// All zero: of no file.
struct file_mark {
    uint64_t device;
    uint64_t inode;
    int64_t size;
    struct walltime written;
    struct walltime changed;
};

struct file_mark file_mark_of(const struct stat *what);
bool file_mark_equal(const struct file_mark *a, const struct file_mark *b);

#endif
